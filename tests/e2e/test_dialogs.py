"""Dialogs, double clicks and searches in place: what scripts add to the pages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.test_without_scripts import fill_task
from tests.e2e.visitor import Visitor, assert_not_reloaded, mark

pytestmark = pytest.mark.e2e


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    return visit(OWNER)


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return visitor.page


def test_escape_closes_a_dialog_and_focus_returns_to_what_opened_it(page: Page) -> None:
    page.goto("/email/domains/")
    opener = page.locator(".page-actions").get_by_role("link", name="新建发信域名")
    dialog = page.get_by_role("dialog", name="发信域名配置")
    opener.focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("发信域名")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()

    opener.click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("link", name="取消").click()
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    expect(page).to_have_url("/email/domains/")


@pytest.mark.parametrize("path", ["/email/domains/", "/email/addresses/", "/email/suppression/"])
def test_a_form_in_a_dialog_is_accessible_over_the_page_behind_it(page: Page, path: str) -> None:
    page.goto(path)
    page.locator(".page-actions .btn-primary").click()
    expect(page.get_by_role("dialog").get_by_role("textbox").first).to_be_visible()
    assert list(faults(page)) == []


def test_a_refusal_inside_a_dialog_keeps_what_was_typed(visitor: Visitor, page: Page) -> None:
    visitor.expects(422)
    page.goto("/email/domains/")
    mark(page)
    page.locator(".page-actions").get_by_role("link", name="新建发信域名").click()
    dialog = page.get_by_role("dialog", name="发信域名配置")
    dialog.get_by_label("发信域名").fill("under_score")
    dialog.get_by_role("button", name="提交").click()
    expect(dialog.locator(".field-error")).to_be_visible()
    expect(dialog.get_by_label("发信域名")).to_have_value("under_score")
    expect(dialog.get_by_label("发信域名")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert_not_reloaded(page)


def test_a_domain_in_use_is_not_deleted_and_the_dialog_says_why(visitor: Visitor, page: Page) -> None:
    visitor.expects(422)
    page.goto("/email/domains/")
    page.get_by_role("row").filter(has_text="acme.example").get_by_role("link", name="删除").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="确定").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("row").filter(has_text="acme.example")).to_be_visible()


def test_a_double_click_on_submit_makes_one_task(page: Page) -> None:
    fill_task(page, "只点一次")
    typed = page.get_by_role("textbox", name="收件人邮箱")
    for number in (1, 2):
        typed.fill(f"click{number}@mail.example")
        page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    page.get_by_role("button", name="提交").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("只点一次")
    expect(page.locator(".task-state .status")).to_have_text("发送完成", timeout=60_000)
    page.goto("/email/tasks/?name=只点一次")
    expect(page.locator("#task-list tbody tr")).to_have_count(1)


def test_a_refused_task_keeps_every_field(visitor: Visitor, page: Page) -> None:
    visitor.expects(422)
    fill_task(page, "还没写完")
    mark(page)
    typed = page.get_by_role("textbox", name="收件人邮箱")
    typed.fill("不是邮箱")
    page.get_by_role("button", name="提交").click()
    expect(
        page.locator(".field-error").or_(page.get_by_role("main").get_by_role("alert")).first
    ).to_be_visible()
    expect(page.get_by_label("任务名称")).to_have_value("还没写完")
    expect(page.get_by_label("邮件主题")).to_have_value("营业时间调整")
    expect(page.locator(".chip")).to_contain_text("不是邮箱")
    assert_not_reloaded(page)


def test_a_search_changes_the_list_in_place_and_back_brings_the_page_again(page: Page) -> None:
    page.goto("/email/tasks/")
    before = page.locator("#task-list tbody tr")
    expect(before.first).to_be_visible()
    count = before.count()
    mark(page)
    page.get_by_role("textbox", name="任务名称或任务ID").fill("没有这样的任务")
    page.get_by_role("search").get_by_role("button", name="搜索").first.click()
    expect(page.locator("#task-list")).to_contain_text("重置")
    expect(before).to_have_count(0)
    assert "name=" in page.url
    assert_not_reloaded(page)
    page.go_back()
    expect(page).to_have_url("/email/tasks/")
    expect(before).to_have_count(count)
    expect(page.get_by_role("heading", level=1)).to_have_text("发送任务")
    expect(page.get_by_role("navigation").get_by_role("link", name="总览")).to_be_visible()


def test_dialogs_work_on_a_page_that_the_back_button_brought(page: Page) -> None:
    page.goto("/email/domains/")
    page.get_by_role("search").get_by_role("textbox").first.fill("没有")
    page.get_by_role("search").get_by_role("button", name="搜索").first.click()
    expect(page.locator("#domain-list")).to_contain_text("重置")
    page.go_back()
    expect(page.locator("#domain-list tbody tr").first).to_be_visible()
    opener = page.locator(".page-actions").get_by_role("link", name="新建发信域名")
    opener.click()
    expect(page.get_by_role("dialog", name="发信域名配置")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_test_mail_is_sent_from_an_addresss_row_and_watched(page: Page) -> None:
    page.goto("/email/addresses/")
    page.locator("#address-list").get_by_role("link", name="发送测试邮件").first.click()
    dialog = page.get_by_role("dialog", name="发送测试邮件")
    expect(dialog).to_contain_text(OWNER.email)
    assert list(faults(page)) == []
    dialog.get_by_label("邮件主题").fill("看看效果")
    dialog.get_by_role("button", name="提交").dblclick()
    page.locator("#toasts").get_by_role("link", name="查看投递进度").click()
    expect(page.locator("#message-detail")).to_contain_text("看看效果")
    expect(page.locator("#message-detail .status").first).to_have_text("已送达", timeout=60_000)


def test_the_preview_of_an_address_follows_typing_and_choosing(page: Page) -> None:
    page.goto("/email/addresses/")
    page.locator(".page-actions").get_by_role("link", name="新建发信地址").click()
    dialog = page.get_by_role("dialog")
    preview = dialog.locator("output")
    dialog.get_by_label("发信域名").select_option(label="acme.example")
    dialog.get_by_label("发信地址前缀").press_sequentially("info")
    expect(preview).to_have_text("info@acme.example")
    dialog.get_by_label("发信人别名").press_sequentially("云 消息")
    expect(preview).to_have_text("云 消息 <info@acme.example>")
    domains = dialog.get_by_label("发信域名")
    domains.evaluate("select => select.add(new Option('other.example', '0'))")
    domains.select_option(label="other.example")
    expect(preview).to_have_text("云 消息 <info@other.example>")
