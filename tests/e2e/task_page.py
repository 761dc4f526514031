"""The page 新建发送任务 as its visitors use it."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

ADD = "/email/tasks/add/"
PLAIN, WITH_PARAMETERS = "门店通知", "验证码"
MIB = 2**20


def choose(page: Page, template: str) -> None:
    option = page.get_by_label("邮件模板").locator("option", has_text=template).first
    page.get_by_label("邮件模板").select_option(value=option.get_attribute("value"))
    page.get_by_label("发件人").select_option(index=1)
    expect(page.locator("#task-body iframe")).to_have_count(1)


def file(name: str, size: int) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": b"x" * size}


def submit(page: Page) -> None:
    page.locator(".form-actions").get_by_role("button", name="提交").click()


def chips(page: Page) -> Locator:
    return page.locator(".chip-text")


def body(page: Page) -> Locator:
    return page.frame_locator("#task-body iframe:not(.is-coming)").locator("body")
