"""The guide's purchase, in both languages: choose, see the cost follow, pay in every way, prove who pays."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.visitor import Visitor, assert_not_reloaded, mark, reload_until

pytestmark = pytest.mark.e2e

WORDS = {
    "zh-hans": {
        "page": "购买KooMessage套餐包", "promises": ("不支持退订", "无法调整套餐规格"), "to_payment": "去支付",
        "confirm": "确认付款", "paid": "订单支付成功", "protection": "操作保护", "password": "密码",
        "online": "在线支付", "transfer": "银行转账", "pay": "立即支付", "lose": "支付成功，但模拟通知丢失",
        "fail": "模拟支付失败", "ask": "我已支付，立即查询", "failed": "支付未成功",
    },
    "en": {
        "page": "Buy a KooMessage package", "promises": ("No refund", "No change of specification"),
        "to_payment": "To payment", "confirm": "Confirm payment", "paid": "The order is paid",
        "protection": "Operation protection", "password": "Password", "online": "Online payment",
        "transfer": "Bank transfer", "pay": "Pay now", "lose": "Pay, but lose the message to the console",
        "fail": "Let the payment fail", "ask": "I have paid: ask now", "failed": "The payment did not succeed",
    },
}  # fmt: skip
Words = dict[str, str]


@pytest.fixture(params=["zh-hans", "en"])
def words(request: pytest.FixtureRequest) -> Words:
    return WORDS[request.param]


@pytest.fixture
def visitor(visit: Callable[..., Visitor], request: pytest.FixtureRequest) -> Visitor:
    language = request.node.callspec.params["words"]
    return visit(OWNER, language=language)


@pytest.fixture
def protection(visitor: Visitor) -> Iterator[None]:
    """Switched on under 权限管理 › 安全设置, and off again with the password."""
    form = visitor.page.locator("#settings-form")
    visitor.page.goto("/iam/settings/")
    form.locator("[name=operation_protection]").check()
    form.locator("button[type=submit]").click()
    expect(form.locator("[name=password]")).to_be_visible()
    yield
    visitor.page.goto("/iam/settings/")
    form.locator("[name=operation_protection]").uncheck()
    form.locator("[name=password]").fill(OWNER.password)
    form.locator("button[type=submit]").click()
    expect(form.locator("[name=password]")).to_have_count(0)


def order(page: Page, words: Words) -> str:
    """Choose the smallest package; return the address of its payment page."""
    page.goto("/packages/purchase/")
    expect(page.get_by_role("heading", level=1)).to_have_text(words["page"])
    for promise in words["promises"]:
        expect(page.get_by_text(promise, exact=True)).to_be_visible()
    mark(page)
    page.locator("[name=spec]").first.check()
    expect(page.locator("#purchase-cost")).to_contain_text("¥60.00")
    page.locator("[name=quantity]").fill("2")
    expect(page.locator("#purchase-cost")).to_contain_text("¥120.00")
    assert_not_reloaded(page)
    page.get_by_role("button", name=words["to_payment"]).click()
    expect(page).to_have_url(re.compile(r"/orders/\d+/pay/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(words["page"])
    for promise in words["promises"]:
        expect(page.get_by_text(promise, exact=True)).to_be_visible()
    expect(page.locator(".cost-bar")).to_contain_text("¥120.00")
    assert list(faults(page)) == []
    return page.url


def choose(page: Page, method: str, words: Words) -> None:
    page.locator(f"[name=method][value={method}]").check()
    page.get_by_role("button", name=words["confirm"]).click()


def expect_paid(page: Page, words: Words) -> None:
    expect(page).to_have_url(re.compile(r"/paid/$"))
    expect(page.get_by_role("status").filter(has_text=words["paid"])).to_be_visible()
    assert list(faults(page)) == []


@pytest.mark.usefixtures("protection")
def test_a_package_is_bought_from_the_balance_with_operation_protection(
    visitor: Visitor, words: Words
) -> None:
    visitor.expects(422)
    page = visitor.page
    order(page, words)
    mark(page)
    choose(page, "balance", words)
    dialog = page.get_by_role("dialog", name=words["protection"])
    dialog.get_by_label(words["password"]).fill("not the password")
    dialog.get_by_role("button", name=words["confirm"]).click()
    expect(dialog.locator(".field-error")).to_be_visible()
    assert_not_reloaded(page)
    assert list(faults(page)) == []
    dialog.get_by_label(words["password"]).fill(OWNER.password)
    dialog.get_by_role("button", name=words["confirm"]).click()
    expect_paid(page, words)


def test_a_package_is_bought_online_also_when_the_message_is_lost(visitor: Visitor, words: Words) -> None:
    page = visitor.page
    address = order(page, words)
    choose(page, "online", words)
    expect(page.get_by_role("button", name=words["fail"])).to_be_visible()
    assert list(faults(page)) == []
    page.get_by_role("button", name=words["fail"]).click()
    expect(page.get_by_role("status").filter(has_text=words["failed"])).to_be_visible()
    page.goto(address)
    choose(page, "online", words)
    page.get_by_role("button", name=words["lose"]).click()
    expect(page.get_by_role("button", name=words["ask"])).to_be_visible()
    assert list(faults(page)) == []
    page.wait_for_timeout(3500)  # the gateway is asked every three seconds at most
    page.get_by_role("button", name=words["ask"]).click()
    expect_paid(page, words)


def test_a_paid_message_leads_to_the_package(visitor: Visitor, words: Words) -> None:
    page = visitor.page
    order(page, words)
    choose(page, "online", words)
    page.get_by_role("button", name=words["pay"], exact=True).click()
    expect_paid(page, words)


def test_a_bank_transfer_shows_where_to_pay_and_can_be_given_up(visitor: Visitor, words: Words) -> None:
    page = visitor.page
    address = order(page, words)
    choose(page, "bank_transfer", words)
    expect(page.get_by_role("heading", level=2, name=words["transfer"])).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("6222 0000 0000 0001")
    assert list(faults(page)) == []
    page.goto(address)
    choose(page, "online", words)
    page.get_by_role("button", name=words["pay"], exact=True).click()
    reload_until(page, page.get_by_role("status").filter(has_text=words["paid"]))


@pytest.mark.usefixtures("protection")
def test_without_scripts_the_password_is_asked_on_a_page_of_its_own(
    visit: Callable[..., Visitor], visitor: Visitor, words: Words, request: pytest.FixtureRequest
) -> None:
    language = request.node.callspec.params["words"]
    page = visit(OWNER, language=language, java_script_enabled=False).page
    page.goto("/packages/purchase/")
    page.locator("[name=spec]").first.check()
    page.get_by_role("button", name=words["to_payment"]).click()
    choose(page, "balance", words)
    expect(page.get_by_role("heading", level=1)).to_have_text(words["protection"])
    page.get_by_label(words["password"]).fill(OWNER.password)
    page.get_by_role("button", name=words["confirm"]).click()
    expect(page.get_by_role("status").filter(has_text=words["paid"])).to_be_visible()
