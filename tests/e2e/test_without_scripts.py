"""The same console in a browser that runs no scripts: links lead to pages, forms are sent and answered."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.visitor import Visitor, reload_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def page(visit: Callable[..., Visitor]) -> Page:
    visitor = visit(OWNER, java_script_enabled=False)
    visitor.expects(422)
    return visitor.page


def test_a_domain_is_added_and_deleted_on_pages_of_their_own(page: Page) -> None:
    page.goto("/email/domains/")
    page.locator(".page-actions").get_by_role("link", name="新建发信域名").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("发信域名配置")
    page.get_by_label("发信域名").fill("not a domain")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".field-error")).to_be_visible()
    expect(page.get_by_label("发信域名")).to_have_value("not a domain")

    page.get_by_label("发信域名").fill("plain.example")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("验证详情")
    expect(page.locator(".domain-state .status")).to_have_text("验证未通过")

    page.goto("/email/domains/")
    row = page.get_by_role("row").filter(has_text="plain.example")
    row.get_by_role("link", name="删除").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("删除")
    page.get_by_role("main").get_by_role("link", name="取消").click()
    expect(row).to_be_visible()
    row.get_by_role("link", name="删除").click()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("发信域名")
    expect(row).to_have_count(0)


def test_a_template_is_written_and_previewed(page: Page) -> None:
    page.goto("/email/templates/add/")
    page.get_by_label("模板标题").fill("无脚本模板")
    page.get_by_role("radio", name="纯文本").check()
    page.get_by_label("邮件正文").fill("您好，{{参数名称}}！")
    page.get_by_role("main").get_by_role("button", name="提交").last.click()
    expect(page.locator(".field-error")).to_contain_text("{{参数名称}}")
    expect(page.get_by_label("模板标题")).to_have_value("无脚本模板")

    page.get_by_label("邮件正文").fill("您好，{{name}}！")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="预览").click()
    mail = opened.value.frame_locator(".template-frame-main")
    expect(mail.get_by_text("您好")).to_be_visible()
    opened.value.close()
    page.get_by_role("main").get_by_role("button", name="提交").last.click()
    expect(page.get_by_role("main")).to_contain_text("无脚本模板")
    expect(page.locator("main .status", has_text="已通过").first).to_be_visible()


def test_a_task_is_sent_to_typed_recipients_once_though_submit_is_pressed_twice(page: Page) -> None:
    fill_task(page, "无脚本任务")
    page.get_by_label("收件人邮箱").fill("不是邮箱")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".field-error").or_(page.get_by_role("alert")).first).to_be_visible()
    expect(page.get_by_label("任务名称")).to_have_value("无脚本任务")
    expect(page.get_by_label("收件人邮箱")).to_have_value("不是邮箱")

    page.get_by_label("收件人邮箱").fill("typed1@mail.example\ntyped2@mail.example")
    page.get_by_role("button", name="提交").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("无脚本任务")
    reload_until(page, page.locator(".task-state").get_by_text("发送完成"))
    page.goto("/email/tasks/?name=无脚本任务")
    expect(page.locator("#task-list tbody tr")).to_have_count(1)


def test_advanced_search_and_the_reports_are_forms(page: Page) -> None:
    page.goto("/email/tasks/")
    page.locator("summary", has_text="高级搜索").click()
    page.get_by_label("任务状态").select_option(label="已取消")
    page.locator(".filter-panel").get_by_role("button", name="搜索").click()
    expect(page.get_by_label("任务状态")).to_be_visible()
    assert "status=" in page.url
    page.goto("/email/reports/")
    page.get_by_label("报表类型").select_option(label="月报表")
    page.get_by_role("main").get_by_role("button", name="搜索").click()
    expect(page.get_by_label("报表类型")).to_have_value("month")


def fill_task(page: Page, name: str) -> None:
    page.goto("/email/tasks/add/")
    page.get_by_label("任务名称").fill(name)
    page.get_by_label("邮件主题").fill("营业时间调整")
    option = page.get_by_label("邮件模板").locator("option", has_text="门店通知").first
    page.get_by_label("邮件模板").select_option(value=option.get_attribute("value"))
    page.get_by_label("发件人").select_option(index=1)
