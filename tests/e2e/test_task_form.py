"""The form 新建发送任务 in a real browser: the mail beside it, typed recipients, hours, the test mail."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.task_page import ADD, PLAIN, WITH_PARAMETERS, body, chips, choose, submit
from tests.e2e.visitor import Visitor, assert_not_reloaded, mark, reload_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    visitor = visit(OWNER)
    visitor.page.goto(ADD)
    mark(visitor.page)
    return visitor


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return visitor.page


def test_the_preview_follows_what_is_chosen_and_typed(page: Page) -> None:
    choose(page, WITH_PARAMETERS)
    page.get_by_label("邮件主题").fill("{{user_name}}，验证码 {{verification_code}}")

    envelope = page.locator("#task-envelope")
    expect(envelope).to_contain_text("<news@acme.example>")
    expect(envelope).to_contain_text("李娜，验证码 628419")
    expect(body(page)).to_contain_text("628419")

    code = page.get_by_label("verification_code")
    code.fill("")
    code.press_sequentially("004200", delay=60)
    expect(envelope).to_contain_text("验证码 004200")
    expect(body(page)).to_contain_text("004200")
    expect(code).to_be_focused()
    expect(code).to_have_value("004200")
    code.press("Enter")

    page.get_by_label("邮件主题").press_sequentially(" {{nobody}}", delay=30)
    expect(page.locator("#task-problems")).to_contain_text("{{nobody}}")
    expect(page.get_by_label("邮件主题")).to_be_focused()
    expect(code).to_have_value("004200")
    assert not list(faults(page))

    choose(page, PLAIN)
    expect(page.get_by_label("verification_code")).to_have_count(0)
    expect(page.locator("#task-problems")).to_contain_text("{{verification_code}}")
    page.get_by_label("邮件主题").fill("营业时间调整")
    expect(page.locator("#task-problems")).to_be_empty()
    assert_not_reloaded(page)


def test_long_values_reach_the_body(page: Page) -> None:
    choose(page, WITH_PARAMETERS)

    page.get_by_label("user_name").fill("值" * 900)

    expect(body(page)).to_contain_text("值" * 900)


def test_a_template_with_parameters_takes_typing_away_and_another_gives_it_back(page: Page) -> None:
    by_hand, by_file = page.get_by_role("radio", name="手动输入"), page.get_by_role("radio", name="文件上传")
    note = page.locator("#task-needs-file")
    expect(by_hand).to_be_checked()

    choose(page, WITH_PARAMETERS)
    expect(by_hand).to_be_disabled()
    expect(by_file).to_be_checked()
    expect(note).to_be_visible()
    sample = page.get_by_role("link", name="下载示例文件")
    expect(sample).to_be_visible()
    with page.expect_download() as found:
        sample.click()
    assert found.value.suggested_filename.endswith(".xlsx")

    choose(page, PLAIN)
    expect(by_hand).to_be_enabled()
    expect(by_hand).to_be_checked()
    expect(note).to_be_hidden()


def test_recipients_become_chips_that_the_server_judges(page: Page) -> None:
    typed = page.get_by_label("收件人邮箱")
    typed.fill("one@mail.example")
    typed.press("Enter")
    typed.press_sequentially("two@mail.example,")
    typed.fill("three@localhost")
    typed.blur()

    expect(chips(page)).to_have_text(["one@mail.example", "two@mail.example", "three@localhost"])
    # It has the looks of an address; the server's rule knows better.
    expect(page.locator(".chip.is-odd")).to_have_count(1)
    expect(page.locator(".chip.is-odd")).to_contain_text("three@localhost")
    expect(page.locator("[data-chips-count]")).to_have_text("3 / 10")
    assert not list(faults(page))

    typed.press("Backspace")
    expect(typed).to_have_value("three@localhost")
    typed.fill("ONE@mail.example")
    typed.press("Enter")
    expect(chips(page)).to_have_count(2)
    expect(page.locator("[data-chips-note]")).to_contain_text("只计一次")
    typed.fill("one＠mail．example")
    typed.press("Enter")
    expect(chips(page)).to_have_text(["one@mail.example", "two@mail.example"])

    typed.press("ArrowLeft")
    expect(page.get_by_role("button", name="移除 two@mail.example")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Delete")
    expect(chips(page)).to_have_text(["two@mail.example"])
    page.get_by_role("button", name="移除 two@mail.example").click()
    expect(chips(page)).to_have_count(0)
    expect(typed).to_be_focused()


def test_submit_is_pressed_straight_after_typing(visitor: Visitor, page: Page) -> None:
    visitor.expects(422)
    choose(page, PLAIN)
    typed = page.get_by_label("收件人邮箱")
    for number in range(3):
        typed.fill(f"rather.long.address.{number}@mail.example")
        typed.press("Enter")
    typed.press_sequentially("straight@mail.example")

    submit(page)

    expect(page.locator("#id_name_error")).to_be_visible()
    expect(chips(page)).to_have_count(4)


def test_an_eleventh_recipient_is_refused_and_not_lost(visitor: Visitor, page: Page) -> None:
    visitor.expects(422)
    names = [f"r{number}@mail.example" for number in range(12)]
    typed = page.get_by_label("收件人邮箱")
    typed.evaluate(
        """(input, text) => {
          const carried = new DataTransfer();
          carried.setData("text/plain", text);
          input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }));
        }""",
        "，".join(names[:4]) + "；\r\n" + "、".join(names[4:8]) + "\t" + " ".join(names[8:]),
    )

    expect(chips(page)).to_have_text(names[:10])
    expect(typed).to_have_value(" ".join(names[10:]))
    expect(page.locator("[data-chips-note]")).to_contain_text("最多输入 10 个")
    expect(page.locator("[data-chips-count]")).to_have_text("10 / 10")

    choose(page, PLAIN)
    page.get_by_label("任务名称").fill("十一个")
    page.get_by_label("邮件主题").fill("营业时间调整")
    submit(page)
    expect(page.locator("#id_recipients_error")).to_be_visible()
    expect(chips(page)).to_have_text(names[:10])
    expect(page.get_by_label("收件人邮箱")).to_have_value(" ".join(names[10:]))
    expect(page.get_by_label("收件人邮箱")).to_be_focused()


def test_quick_choices_fill_in_the_hour_by_the_clocks_of_the_account(page: Page) -> None:
    page.get_by_role("radio", name="定时发送").check()
    field = page.get_by_label("发送时间", exact=True)
    expect(page.locator("#id_due_at_hint")).to_contain_text("Asia/Shanghai")
    now = page.locator("#id_due_at").get_attribute("min") or ""

    page.get_by_role("button", name="明天 9:00").click()
    tomorrow = field.input_value()
    page.get_by_role("button", name="下周一 9:00").click()
    monday = field.input_value()
    page.get_by_role("button", name="1 小时后").click()
    soon = field.input_value()

    days = "days => [0, 1].map((n) => (new Date(`${days[n]}Z`) - new Date(`${days[2].slice(0, 10)}T00:00:00Z`)) / 36e5)"
    assert page.evaluate(days, [tomorrow, monday, now])[0] == 33
    assert page.evaluate("text => new Date(`${text}Z`).getUTCDay()", monday) == 1
    assert monday.endswith("T09:00") and monday > now
    ahead = page.evaluate("([a, b]) => (new Date(a) - new Date(b)) / 1000", [soon, now])
    assert 3600 <= ahead < 3600 + 120


def test_a_test_mail_arrives_and_the_form_stays(visitor: Visitor, page: Page) -> None:
    visitor.expects(422)
    page.get_by_label("任务名称").fill("先试一封")
    button, result = page.get_by_role("button", name="发送测试邮件"), page.locator("#task-test-result")
    button.click()
    expect(result.locator(".alert-danger")).to_contain_text("邮件主题")
    choose(page, WITH_PARAMETERS)
    page.get_by_label("邮件主题").fill("{{user_name}} 的测试")
    page.get_by_label("user_name").fill("韩梅梅")
    expect(body(page)).to_contain_text("韩梅梅")

    button.click()
    expect(result.locator(".alert-success")).to_contain_text(OWNER.email)
    expect(button).to_be_focused()
    expect(page.get_by_label("任务名称")).to_have_value("先试一封")
    expect(page.get_by_label("user_name")).to_have_value("韩梅梅")
    assert_not_reloaded(page)
    assert not list(faults(page))

    result.get_by_role("link").click()
    reload_until(page, page.locator("main").get_by_text("已送达"))
    page.goto(f"/demo/inbox/?search={OWNER.email.replace('@', '%40')}")
    expect(page.locator("#mail-list").get_by_role("link", name="韩梅梅 的测试")).to_have_count(1)


def test_a_session_that_ends_meanwhile_loses_nothing_that_was_typed(visitor: Visitor, page: Page) -> None:
    page.get_by_label("任务名称").fill("还在写")
    choose(page, PLAIN)
    visitor.context.clear_cookies(name="sessionid")
    page.get_by_label("邮件主题").fill("写到一半")
    page.get_by_role("button", name="发送测试邮件").click()

    expect(page.locator("#task-test-result")).to_contain_text("登录已失效")
    assert_not_reloaded(page)
    expect(page.get_by_label("任务名称")).to_have_value("还在写")
    submit(page)
    expect(page).to_have_url(re.compile("/login/"))


def test_without_scripts_preview_and_test_mail_are_buttons_of_the_form(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER, java_script_enabled=False).page
    page.goto(ADD)
    page.get_by_label("任务名称").fill("无脚本预览")
    page.get_by_label("邮件主题").fill("{{user_name}} 的订单")
    option = page.get_by_label("邮件模板").locator("option", has_text=WITH_PARAMETERS).first
    page.get_by_label("邮件模板").select_option(value=option.get_attribute("value"))
    page.get_by_label("发件人").select_option(index=1)
    page.get_by_role("button", name="在预览中显示").click()

    expect(page.locator("#task-envelope")).to_contain_text("李娜 的订单")
    expect(page.locator("#task-needs-file")).to_be_visible()
    page.get_by_label("user_name").fill("韩梅梅")
    page.get_by_role("button", name="发送测试邮件").click()
    expect(page.locator("#task-test-result .alert-success")).to_contain_text(OWNER.email)
    expect(page.locator("#task-envelope")).to_contain_text("韩梅梅 的订单")
    expect(page.get_by_label("任务名称")).to_have_value("无脚本预览")
