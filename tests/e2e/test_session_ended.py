"""The session ends while somebody writes: nothing typed is lost, with scripts and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER, Person
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e


def sign_in_again(page: Page, person: Person) -> None:
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("已保留")
    page.get_by_label("用户名").fill(person.login)
    page.get_by_label("密码").fill(person.password)
    page.get_by_role("main").get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("您填写的内容已保留")


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def visitor(request: pytest.FixtureRequest, visit: Callable[..., Visitor]) -> Visitor:
    return visit(OWNER, java_script_enabled=request.param)


def test_a_template_typed_while_the_session_ended_is_stored_after_signing_in(
    visitor: Visitor, request: pytest.FixtureRequest
) -> None:
    page = visitor.page
    title = f"断线不丢 {len(request.node.name)}"
    page.goto("/email/templates/add/")
    page.get_by_label("模板标题").fill(title)
    page.get_by_role("radio", name="纯文本").check()
    page.get_by_label("邮件正文").fill("您好，{{name}}！\n\n  第二段 <b>&\"'")
    visitor.context.clear_cookies(name="sessionid")
    page.get_by_role("main").get_by_role("button", name="提交").last.click()

    sign_in_again(page, OWNER)
    expect(page.get_by_role("main")).to_contain_text(title)
    page.get_by_role("button", name="继续提交").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("发信模板")
    page.get_by_text(title).first.wait_for()
    page.goto("/kept/")
    expect(page.get_by_role("button", name="继续提交")).to_have_count(0)


def test_what_was_typed_into_a_dialog_is_kept_too(visit: Callable[..., Visitor]) -> None:
    visitor = visit(OWNER)
    page = visitor.page
    page.goto("/email/domains/")
    page.locator(".page-actions").get_by_role("link", name="新建发信域名").click()
    page.get_by_role("dialog").get_by_label("发信域名").fill("kept.example")
    visitor.context.clear_cookies(name="sessionid")
    page.get_by_role("dialog").get_by_role("button", name="提交").click()

    sign_in_again(page, OWNER)
    page.get_by_role("button", name="继续提交").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("验证详情")
    expect(page.get_by_role("main")).to_contain_text("kept.example")


def test_a_dialog_open_in_another_tab_is_submitted_by_a_second_click(visit: Callable[..., Visitor]) -> None:
    visitor = visit(OWNER)
    visitor.expects(403)
    page = visitor.page
    page.goto("/email/domains/")
    page.locator(".page-actions").get_by_role("link", name="新建发信域名").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("发信域名").fill("tabs.example")
    other = visitor.context.new_page()
    visitor.context.clear_cookies(name="sessionid")
    other.goto("/login/")
    other.get_by_label("用户名").fill(OWNER.login)
    other.get_by_label("密码").fill(OWNER.password)
    other.get_by_role("main").get_by_role("button", name="登录").click()
    expect(other.locator(".topbar details.menu")).to_be_visible()

    dialog.get_by_role("button", name="提交").click()
    expect(page.locator("#toasts")).to_contain_text("请再提交一次")
    dialog.get_by_role("button", name="提交").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("验证详情")
