"""Language, theme and the phone's navigation."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from koomessage.demo.people import OWNER
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e


def test_the_language_is_chinese_at_first_and_the_choice_stays(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER, locale="en-GB").page
    page.goto("/email/domains/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url("/email/domains/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sending domains")
    page.get_by_role("navigation").get_by_role("link", name="Send tasks").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Send tasks")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("发送任务")


def test_the_theme_stays(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER).page
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    bright = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="深色主题").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != bright
    page.goto("/email/templates/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="浅色主题").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    expect(page).to_have_url("/email/templates/")


def test_on_a_phone_the_navigation_opens_and_closes(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER, width="phone").page
    page.goto("/")
    link = page.get_by_role("navigation", name="导航").get_by_role("link", name="发送任务")
    expect(link).not_to_be_in_viewport()
    page.locator("label.navigation-button").click()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(link).not_to_be_in_viewport()
    page.locator("label.navigation-button").click()
    expect(link).to_be_in_viewport()
    page.locator(".side-scrim").click(position={"x": 380, "y": 400})
    expect(link).not_to_be_in_viewport()
    page.locator("label.navigation-button").click()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("发送任务")
    expect(link).not_to_be_in_viewport()


def test_the_navigation_of_a_phone_opens_by_keyboard(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER, width="phone").page
    page.goto("/")
    link = page.get_by_role("navigation", name="导航").get_by_role("link", name="发送任务")
    page.get_by_role("checkbox", name="显示导航").focus()
    page.keyboard.press("Space")
    expect(link).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(link).not_to_be_in_viewport()
