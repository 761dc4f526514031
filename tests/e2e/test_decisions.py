"""Decisions about mail under way: many messages in doubt, the rest of a task, pause and resume."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OPERATOR, OWNER
from tests.e2e.inspection import faults
from tests.e2e.test_review import enter_admin
from tests.e2e.test_without_scripts import fill_task
from tests.e2e.visitor import Visitor, reload_until

pytestmark = pytest.mark.e2e


def send(page: Page, name: str, *recipients: str) -> None:
    fill_task(page, name)
    typed = page.get_by_role("textbox", name="收件人邮箱")
    for recipient in recipients:
        typed.fill(recipient)
        page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(len(recipients))
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def hold_doubtful(page: Page, policy: str) -> None:
    page.goto("/admin/email_service/emailservice/")
    page.get_by_role("row").filter(has_text="acme").get_by_role("link").first.click()
    page.locator("select[name='in_doubt']").select_option(policy)
    page.locator("input[name='_save']").click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def test_messages_in_doubt_are_decided_together(visit: Callable[..., Visitor]) -> None:
    operator, owner = enter_admin(visit(), OPERATOR), visit(OWNER).page
    hold_doubtful(operator, "hold")
    try:
        send(owner, "应答丢失", *[f"lost-reply+{number}@mail.example" for number in range(3)])
        operator.goto("/email/engine/held/?task=应答丢失")
        reload_until(operator, operator.locator("#held-list tbody tr:nth-child(3)"), within=120)
        assert list(faults(operator)) == []

        again = operator.get_by_role("button", name="重新发送")
        expect(again).to_be_disabled()
        operator.locator("[data-select-row]").first.focus()
        operator.keyboard.press("Space")
        expect(operator.locator("[data-selected]")).to_have_text("1")
        again.click()
        dialog = operator.get_by_role("dialog")
        expect(dialog).to_contain_text("1 条")
        assert list(faults(operator)) == []
        dialog.get_by_role("button", name="重新发送").click()
        expect(operator.locator("#toasts")).to_contain_text("已处理 1 条")

        operator.goto("/email/engine/held/?task=应答丢失")
        operator.locator("[data-select-all]").check()
        expect(operator.locator("[data-selected]")).to_have_text("2")
        expect(operator.locator("[data-select-row]").first).to_be_disabled()
        operator.get_by_role("button", name="标记为已送达").click()
        expect(dialog).to_contain_text("2 条")
        dialog.get_by_role("button", name="标记为已送达").dblclick()
        expect(operator.locator("#toasts")).to_contain_text("已处理 2 条")
        expect(owner.locator(".task-state .status")).to_have_text("发送完成", timeout=60_000)
    finally:
        hold_doubtful(operator, "resend")


def test_a_task_is_paused_resumed_and_its_rest_cancelled(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER).page
    send(page, "先停一停", "defer-451+pause@mail.example", "sent@mail.example")
    expect(page.locator(".task-counts")).to_contain_text("1", timeout=60_000)

    page.locator("#task-pause").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".task-state .status")).to_have_text("已暂停")
    expect(page.locator("#task-pause")).to_have_count(0)
    page.locator("#task-resume").dblclick()
    expect(page.locator(".task-state .status")).to_have_text("发送中")
    expect(page.locator("#toasts .toast-error")).to_have_count(0)

    page.locator("#task-cancel-rest").click()
    dialog = page.get_by_role("dialog", name="取消剩余")
    expect(dialog).to_contain_text("共 2 封，已发送 1 封")
    assert list(faults(page)) == []
    dialog.get_by_role("button", name="确定").dblclick()
    expect(page.locator(".task-state .status")).to_have_text("已取消")
    expect(page.locator("#task-progress")).to_contain_text("已发送 1 封，已取消 1 封")
    expect(page.locator(".task-buttons")).to_be_empty()
