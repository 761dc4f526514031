"""发送明细 in a browser: ranges, conditions taken out, the number that follows, columns, a mail and its source."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER, READER
from tests.e2e.inspection import faults
from tests.e2e.visitor import Visitor, assert_not_reloaded, mark

pytestmark = pytest.mark.e2e
MONTH = "/email/details/?range=30d"


def open_advanced(page: Page) -> None:
    page.locator(".filter-advanced > summary").click()


def test_a_search_is_narrowed_shared_and_widened(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER).page
    page.goto("/email/details/")
    mark(page)
    page.locator("label[for='range-30d']").click()
    expect(page.locator(".chip-range")).to_have_text("近30天")
    expect(page.locator("#message-count")).to_contain_text("共")
    open_advanced(page)
    page.get_by_label("发送状态").select_option("failed")
    page.get_by_label("收件人").fill("inbox.exam")
    page.locator(".filter-panel").get_by_role("button", name="搜索").click()
    expect(page.locator(".chip")).to_have_count(3)
    expect(page.locator("#message-list tbody tr").first).to_contain_text("***@inbox.example")
    assert_not_reloaded(page)
    assert list(faults(page)) == []

    # The address says it all.
    shared = visit(OWNER).page
    shared.goto(page.url)
    rows = page.locator("#message-list tbody tr").all_inner_texts()
    expect(shared.locator("#message-list tbody tr").first).to_be_visible()
    assert shared.locator("#message-list tbody tr").all_inner_texts() == rows

    page.get_by_role("link", name="移除筛选条件：收件人").click()
    expect(page.locator(".chip")).to_have_count(2)
    expect(page.get_by_label("收件人")).to_have_value("")
    page.get_by_role("link", name="清除").click()
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.locator(".chip-range")).to_have_text("今天")


def test_a_range_of_ones_own_asks_for_its_ends(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER, width="phone").page
    page.goto("/email/details/")
    expect(page.get_by_label("创建时间从")).to_be_hidden()
    page.locator("label[for='range-custom']").click()
    start = page.locator("#filter_created_from")
    expect(start).to_be_visible()
    start.fill("2020-01-01T00:00:00")
    page.locator("#filter_created_to").fill("2020-01-02T00:00:00")
    page.get_by_role("button", name="搜索").first.click()
    expect(page.locator(".chip-range")).to_contain_text("2020-01-01 00:00:00")
    expect(page.locator(".empty-title")).to_have_text("该时间范围内没有发送记录。")
    assert list(faults(page)) == []
    page.get_by_role("link", name="查找全部时间").click()
    expect(page.locator("#message-list tbody tr").first).to_be_visible()


def test_columns_are_chosen_in_the_dialog_and_stay(visit: Callable[..., Visitor]) -> None:
    page = visit(READER).page
    page.goto(MONTH)
    everything = page.get_by_role("columnheader").count()
    page.get_by_role("link", name="显示列").click()
    dialog = page.get_by_role("dialog", name="列表显示列")
    expect(dialog).to_be_visible()
    assert list(faults(page)) == []
    for label in ("模板名称/ID", "主题"):
        dialog.get_by_role("checkbox", name=label).uncheck()
    dialog.get_by_role("button", name="保存").click()
    expect(page.get_by_role("columnheader")).to_have_count(everything - 2)
    expect(page).to_have_url(MONTH)
    page.goto("/email/details/?range=all")
    expect(page.get_by_role("columnheader")).to_have_count(everything - 2)
    page.get_by_role("link", name="显示列").click()
    page.get_by_role("button", name="恢复默认").click()
    expect(page.get_by_role("columnheader")).to_have_count(everything)


def test_a_mail_is_looked_at_and_its_source_taken(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    page = visit(OWNER).page
    page.goto(f"{MONTH}&status=failed")
    page.locator("#message-list td a").first.click()
    expect(page.locator(".timeline-list")).to_contain_text("550")
    frame = page.frame_locator(".template-frame-main")
    expect(frame.locator("body")).not_to_be_empty()
    assert list(faults(page)) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="下载源文件").click()
    source = tmp_path / "mail.eml"
    download.value.save_as(source)
    assert b"\r\nMessage-ID: <" in source.read_bytes()
    page.reload()
    expect(page.locator(".timeline-list")).to_contain_text("acme/admin 下载了邮件源文件")
    following = page.locator(".page-actions a").first
    following.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("消息")


def test_without_scripts_the_number_is_a_link_and_columns_a_page(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER, java_script_enabled=False).page
    page.goto(MONTH)
    page.get_by_role("link", name="统计条数").click()
    expect(page.locator("#message-count")).to_contain_text("共 1,")
    page.get_by_role("link", name="返回列表").click()
    expect(page).to_have_url(MONTH)
    page.get_by_role("link", name="显示列").click()
    page.get_by_role("button", name="保存").click()
    expect(page).to_have_url(MONTH)
