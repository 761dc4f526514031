"""A sending domain's records in a real browser: what differs is marked, and its key is rotated."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e
DOMAIN = "records.example"
STATE = ".domain-state .status"
SLOW = 60_000


def test_a_wrong_record_is_marked_and_a_verified_domains_key_rotates(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER).page
    page.goto("/email/domains/add/")
    page.get_by_label("发信域名").fill(DOMAIN)
    page.get_by_role("button", name="提交").click()
    expect(page.locator(STATE)).to_have_text("验证未通过")
    details = page.url

    publish_by_hand(page, "CNAME", f"tracking.{DOMAIN}", "wrong.track.koomessage.demo")
    page.goto(details)
    verify(page)
    row = page.get_by_role("row").filter(has_text=f"tracking.{DOMAIN}")
    expect(row.locator("del")).to_contain_text("wrong", timeout=SLOW)
    expect(row.locator("ins")).to_be_visible()
    expect(page.locator("#verify")).to_be_focused()
    assert list(faults(page)) == []

    page.get_by_role("button", name="发布到演示DNS").click()
    verify(page)
    expect(page.locator(STATE)).to_have_text("验证通过", timeout=SLOW)
    expect(page.locator("#domain-detail del")).to_have_count(0)

    rotate(page)
    expect(page.get_by_role("row").filter(has_text="新密钥")).to_contain_text("等待发布记录")
    assert list(faults(page)) == []
    page.get_by_role("button", name="发布到演示DNS").click()
    verify(page)
    expect(page.get_by_role("row").filter(has_text="旧密钥")).to_contain_text("请保留至", timeout=SLOW)
    expect(page.locator(STATE)).to_have_text("验证通过")
    assert list(faults(page)) == []


def publish_by_hand(page: Page, kind: str, name: str, value: str) -> None:
    page.goto("/demo/dns/")
    page.locator("#id_kind").select_option(kind)
    page.locator("#id_name").fill(name)
    page.locator("#id_value").fill(value)
    page.locator("#id_value").press("Enter")
    expect(page.locator("#record-list")).to_contain_text(value)


def verify(page: Page) -> None:
    page.get_by_role("button", name="验证", exact=True).click()


def rotate(page: Page) -> None:
    page.get_by_role("link", name="轮换 DKIM 密钥").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(DOMAIN)
    dialog.get_by_role("button", name="确定").click()
