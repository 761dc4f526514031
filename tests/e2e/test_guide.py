"""The user guide from 开通 to 统计报表, by mouse and keyboard, on the account that has nothing yet."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import NEWCOMER
from tests.e2e.inspection import faults
from tests.e2e.visitor import Visitor, assert_not_reloaded, mark, reload_until
from tests.e2e.workbook import recipient_file

pytestmark = pytest.mark.e2e

DOMAIN = "shop.newco.example"
PEOPLE = {f"guest{number}@mail.example": name for number, name in enumerate(("王小明", "李雷", "韩梅梅"), 1)}
BODY = "<table><tr><td><h1>新程贸易</h1><p>尊敬的 {{name}}：</p><p>本周下单立减 20 元。</p></td></tr></table>"
SLOW = 90_000  # look-ups and sending, done by the worker


def test_a_newcomer_walks_the_guide_from_activation_to_the_report(visit: Callable[..., Visitor]) -> None:
    visitor = visit(NEWCOMER)
    page = visitor.page
    activate(page)
    add_domain(page)
    verify_domain(page)
    add_address(page)
    add_template(page)
    submit_task(page)
    read_details(page)
    open_mail(page)
    unsubscribe(page)
    read_report(page)


def activate(page: Page) -> None:
    page.goto("/email/domains/")
    expect(page).to_have_url("/activate/")
    page.get_by_role("checkbox", name="我已阅读并同意").check()
    page.get_by_role("button", name="立即开通").click()
    expect(page.get_by_role("heading", level=1, name="总览")).to_be_visible()
    expect(page).to_have_url("/")


def add_domain(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="发信域名").click()
    page.locator(".page-actions").get_by_role("link", name="新建发信域名").click()
    dialog = page.get_by_role("dialog", name="发信域名配置")
    expect(dialog).to_be_visible()
    dialog.get_by_label("发信域名").fill(DOMAIN)
    dialog.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1, name="验证详情")).to_be_visible()
    expect(page.locator(".domain-state .status")).to_have_text("验证未通过")
    expect(page.get_by_role("row")).to_have_count(6)  # the headings, and five records


def verify_domain(page: Page) -> None:
    page.get_by_role("button", name="发布到演示DNS").click()
    expect(page.locator("#toasts")).to_contain_text("5")
    mark(page)
    page.get_by_role("button", name="验证", exact=True).click()
    expect(page.locator(".domain-state .status")).to_have_text("验证通过", timeout=SLOW)
    expect(page.get_by_role("row").filter(has_text="成功")).to_have_count(5)
    expect(page.locator("#toasts")).to_contain_text("验证通过")
    assert_not_reloaded(page)
    page.get_by_role("navigation").get_by_role("link", name="发信域名").first.click()
    expect(page.get_by_role("row").filter(has_text=DOMAIN)).to_contain_text("验证通过")


def add_address(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="发信地址").click()
    page.locator(".page-actions").get_by_role("link", name="新建发信地址").click()
    dialog = page.get_by_role("dialog", name="发信地址配置")
    dialog.get_by_label("发信域名").select_option(label=DOMAIN)
    dialog.get_by_label("发信地址前缀").press_sequentially("new")
    preview = dialog.get_by_label("发信地址预览")
    expect(preview).to_have_text(f"new@{DOMAIN}")
    dialog.get_by_label("发信地址前缀").press_sequentially("s")
    expect(preview).to_have_text(f"news@{DOMAIN}")
    dialog.get_by_label("发信人别名").fill("新程贸易")
    dialog.get_by_role("button", name="提交").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("row").filter(has_text=f"news@{DOMAIN}")).to_contain_text("新程贸易")


def add_template(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="发信模板").click()
    page.locator(".page-actions").get_by_role("link", name="新建模板").click()
    page.get_by_label("模板标题").fill("优惠通知")
    page.get_by_role("radio", name="富文本").check()
    page.locator(".jodit-toolbar-button_source button").click()
    page.locator(".jodit-source__mirror").fill(BODY)
    expect(page.locator("[data-parameter-names]")).to_have_text("name")
    page.get_by_label("是否支持退订").check()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="预览").click()
    draft = opened.value
    expect(draft.frame_locator(".template-frame-main").get_by_text("本周下单立减 20 元。")).to_be_visible()
    draft.close()
    page.get_by_role("button", name="提交").last.click()
    expect(page.get_by_text("优惠通知").first).to_be_visible()
    expect(page.locator("main .status", has_text="已通过").first).to_be_visible()


def submit_task(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="发送任务").click()
    page.locator(".page-actions").get_by_role("link", name="新建发送任务").click()
    page.get_by_label("任务名称").fill("十一月优惠")
    page.get_by_label("邮件主题").fill("{{name}}，您的专属优惠")
    option = page.get_by_label("邮件模板").locator("option", has_text="优惠通知").first
    page.get_by_label("邮件模板").select_option(value=option.get_attribute("value"))
    expect(page.locator("#task-samples")).to_contain_text("name")
    expect(page.get_by_role("radio", name="手动输入")).to_be_disabled()
    expect(page.get_by_role("radio", name="文件上传")).to_be_checked()
    page.get_by_label("发件人").select_option(index=1)
    rows = [
        ("收件人邮箱", "name"),
        *PEOPLE.items(),
        ("不是邮箱", "错误行"),
        ("GUEST1@mail.example", "重复行"),
    ]
    page.locator("#id_file").set_input_files(recipient_file(*rows))
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1, name="发送前检查")).to_be_visible()
    mark(page)
    expect(page.locator(".check-head .status")).to_have_text("已检查", timeout=SLOW)
    expect(page.locator(".check-counts .stat-value")).to_have_text(["5", "3", "2"])
    expect(page.locator("#check-row")).to_contain_text("王小明，您的专属优惠")
    page.locator("#check-row").get_by_role("link", name="下一行").click()
    expect(page.locator("#check-row")).to_contain_text("李雷，您的专属优惠")
    assert_not_reloaded(page)
    page.get_by_role("checkbox", name="3 个有效行").check()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1, name="十一月优惠")).to_be_visible()
    mark(page)
    expect(page.locator(".task-state .status")).to_have_text("发送完成", timeout=SLOW)
    assert_not_reloaded(page)
    page.reload()
    expect(page.locator("#task-rows")).to_contain_text("不是邮箱")


def read_details(page: Page) -> None:
    page.locator(".page-actions").get_by_role("link", name="发送明细").click()
    rows = page.locator("#message-list tbody tr")
    expect(rows).to_have_count(len(PEOPLE))
    expect(rows.filter(has_text="已送达")).to_have_count(len(PEOPLE))
    expect(rows.filter(has_text="***@mail.example")).to_have_count(len(PEOPLE))
    for name in PEOPLE.values():
        expect(rows.filter(has_text=f"{name}，您的专属优惠")).to_have_count(1)
    rows.first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="时间线")).to_be_visible()
    expect(page.locator(".timeline-list")).to_contain_text("250")
    page.get_by_role("button", name="显示").click()
    expect(page.get_by_role("dialog")).to_contain_text("@mail.example")
    page.get_by_role("dialog").get_by_role("link", name="关闭").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def open_mail(page: Page) -> None:
    page.get_by_role("banner").get_by_role("link", name="收件箱").click()
    recipient, name = next(iter(PEOPLE.items()))
    page.get_by_role("searchbox").fill(recipient)
    page.get_by_role("button", name="搜索").click()
    expect(page).to_have_url(f"/demo/inbox/?search={recipient.replace('@', '%40')}")
    page.locator("#mail-list").get_by_role("link", name=f"{name}，您的专属优惠").click()
    mail = page.frame_locator("iframe.demo-frame")
    expect(mail.get_by_text(f"尊敬的 {name}：")).to_be_visible()
    for method in ("dkim", "spf", "dmarc"):
        expect(page.locator(f"[data-method={method}]")).to_have_attribute("data-result", "pass")
    assert list(faults(page)) == []


def unsubscribe(page: Page) -> None:
    with page.context.expect_page() as opened:
        page.frame_locator("iframe.demo-frame").get_by_role("link", name="退订").click()
    asked = opened.value
    expect(asked.get_by_role("main")).to_contain_text(next(iter(PEOPLE)))
    assert list(faults(asked)) == []
    page.goto("/email/suppression/")
    expect(page.locator("main table")).to_have_count(0)  # opening the page did nothing
    asked.get_by_role("button", name="确认退订").click()
    expect(asked.get_by_role("heading", level=1)).to_have_text("您已退订")
    asked.close()
    page.reload()
    expect(page.locator("main tbody tr")).to_have_count(1)


def read_report(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="统计报表").click()
    total = page.locator(".report-total").filter(has_text="100.00%")
    reload_until(page, total)
    mark(page)
    for label, kind in (("月报表", "month"), ("时报表", "hour"), ("日报表", "day")):
        page.get_by_label("报表类型").select_option(label=label)
        expect(page.locator("input[name=shown]")).to_have_value(kind)  # what the server drew
        expect(page.locator(".htmx-added")).to_have_count(0)
        expect(total).to_be_visible()
        assert f"kind={kind}" in page.url
    expect(page.locator(".report-chart canvas")).to_be_visible()
    assert_not_reloaded(page)
