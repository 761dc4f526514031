"""The template editor by keyboard, in both themes, and what its pages say in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.test_editor import ADD, body, page, press, submit
from tests.e2e.visitor import Visitor

__all__ = ["page"]  # the fixture
pytestmark = pytest.mark.e2e


def test_an_empty_mail_is_refused_in_words_and_the_words_lead_into_the_editor(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit(OWNER)
    visitor.expects(422)
    page = visitor.page
    page.goto(ADD)
    page.get_by_label("模板标题").fill("没有正文")
    submit(page)

    error = page.get_by_role("alert").get_by_role("link", name="邮件正文")
    expect(page.get_by_role("alert")).to_contain_text("请输入邮件正文")
    error.click()
    expect(page.locator(".jodit-wysiwyg_iframe")).to_be_focused()


def test_the_editor_is_reached_and_left_by_keyboard(page: Page) -> None:
    frame = page.locator(".jodit-wysiwyg_iframe")
    page.get_by_role("radio", name="富文本").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="参数", exact=True)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="插入链接")).to_be_focused()
    page.keyboard.press("Tab")
    expect(frame).to_be_focused()
    page.keyboard.type("By hand")
    expect(body(page)).to_have_text("By hand")
    page.keyboard.press("Alt+F10")
    expect(page.get_by_role("toolbar", name="格式工具栏").locator("button:focus")).to_be_visible()
    page.keyboard.press("Tab")
    expect(frame).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".form-actions").get_by_role("button", name="提交")).to_be_focused()


def test_escape_leaves_the_full_screen(page: Page) -> None:
    press(page, "fullsize")
    box = page.locator(".jodit-container").bounding_box() or {}
    assert (box["x"], box["y"], box["width"]) == (0, 0, page.evaluate("innerWidth"))
    body(page).click()
    page.keyboard.press("Escape")
    expect(page.locator(".jodit_fullsize")).to_have_count(0)
    expect(page.get_by_label("模板标题")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_editor_and_what_its_buttons_open_are_accessible(
    visit: Callable[..., Visitor], theme: str
) -> None:
    page = visit(OWNER, theme=theme).page
    page.goto(ADD)
    expect(page.locator(".jodit-container")).to_be_visible()
    assert list(faults(page)) == []
    for name in ("parameter", "picture", "link", "table"):
        press(page, name)
        expect(page.get_by_role("dialog")).to_be_visible()
        assert list(faults(page)) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_older_version_shows_with_its_own_text_and_values(page: Page) -> None:
    page.get_by_label("模板标题").fill("两个版本")
    body(page).click()
    page.keyboard.type("First {{name}}")
    submit(page)
    page.get_by_role("link", name="两个版本", exact=True).click()
    page.get_by_role("link", name="编辑").click()
    body(page).click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Second {{name}}")
    submit(page)
    page.get_by_role("link", name="两个版本", exact=True).click()

    page.get_by_role("link", name="版本 1", exact=True).click()
    page.get_by_text("示例值").click()
    page.get_by_label("name").fill("Mary")
    expect(page.frame_locator(".template-frame-main").locator("body")).to_contain_text("First Mary")
    page.get_by_text("纯文本部分").click()
    expect(page.frame_locator(".template-frame-text").locator("body")).to_contain_text("First Mary")
    expect(page.locator(".template-versions [aria-current]")).to_have_text("版本 1")
