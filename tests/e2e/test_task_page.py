"""A task from its page: stopped, gone on, cancelled, sent again to those that failed; and copied."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.test_decisions import send
from tests.e2e.visitor import Visitor, assert_not_reloaded, mark

pytestmark = pytest.mark.e2e
SOON = 60_000


def allow_again(page: Page, name: str) -> None:
    page.goto(f"/email/suppression/?address={name}")
    page.locator("#suppression-list tbody tr").first.get_by_role("link", name="删除").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.locator("#suppression-list tbody tr")).to_have_count(0)


def test_a_task_is_paused_resumed_cancelled_and_sent_again_to_those_that_failed(
    visit: Callable[..., Visitor],
) -> None:
    page = visit(OWNER).page
    send(
        page, "失败重发", "bounce-550+again@mail.example", "defer-451+again@mail.example", "kept@mail.example"
    )
    task = page.url
    expect(page.get_by_role("link", name="发送失败 1")).to_be_visible(timeout=SOON)

    page.locator("#task-pause").click()
    expect(page.locator(".task-state .status")).to_have_text("已暂停")
    page.locator("#task-resume").click()
    expect(page.locator(".task-state .status")).to_have_text("发送中")
    page.locator("#task-cancel-rest").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.locator(".task-state .status")).to_have_text("已取消")
    steps = page.locator(".task-timeline li.is-done")
    for number, words in enumerate(("已提交", "开始发送", "已暂停", "继续发送", "已取消")):
        expect(steps.nth(number)).to_contain_text(words)
    expect(steps.nth(2)).to_contain_text("操作人：admin")
    assert list(faults(page)) == []

    # No such mailbox: the account's tasks do not write there any more, until somebody says otherwise.
    allow_again(page, "bounce-550%2Bagain")
    page.goto(task)
    page.locator("#task-resend").click()
    dialog = page.get_by_role("dialog", name="再次发送给失败的收件人")
    expect(dialog).to_contain_text("“失败重发”有 1 封邮件发送失败或已过期")
    assert list(faults(page)) == []
    dialog.get_by_role("button", name="再次发送").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("失败重发 · 再次发送")
    expect(page.locator(".task-state .status")).to_have_text("发送完成", timeout=SOON)
    page.get_by_role("link", name="失败重发", exact=True).click()
    expect(page.locator("#task-resend")).to_have_count(0)
    expect(page.get_by_role("link", name="失败重发 · 再次发送")).to_have_count(1)

    page.get_by_role("link", name="发送失败 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("发送明细")
    expect(page.locator("#message-list tbody tr")).to_have_count(1)


def test_a_copy_begins_with_what_the_other_had_and_the_list_follows_the_work(
    visit: Callable[..., Visitor],
) -> None:
    page = visit(OWNER).page
    send(page, "原任务", "first@mail.example", "defer-451+copy@mail.example")
    page.goto("/email/tasks/?name=原任务")
    mark(page)
    row = page.locator("#task-rows tr").first
    copy = row.get_by_role("link", name="复制")
    copy.focus()
    expect(row.locator(".task-bar")).to_contain_text("1 / 2", timeout=SOON)
    page.wait_for_timeout(3_500)
    expect(copy).to_be_focused()
    assert_not_reloaded(page)
    assert list(faults(page)) == []

    row.get_by_role("button", name="暂停").click()
    expect(row.locator(".status")).to_have_text("已暂停")
    assert page.url.endswith("/email/tasks/?name=%E5%8E%9F%E4%BB%BB%E5%8A%A1")
    row.get_by_role("link", name="复制").click()
    expect(page.get_by_label("任务名称")).to_have_value("原任务 副本")
    expect(page.locator(".chip")).to_have_count(2)
    expect(page.locator("#toasts")).to_contain_text("已填入“原任务”的内容")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("原任务 副本")
    page.locator("#task-cancel-rest").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.locator(".task-state .status")).to_have_text("已取消")
