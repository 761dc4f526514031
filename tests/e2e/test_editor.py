"""The form 新建模板 in a real browser: editor, parameters, pictures, files, previews."""

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Dialog, FrameLocator, Locator, Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e

ADD = "/email/templates/add/"
MAIL = """<!doctype html><html><head><meta charset="utf-8"><style>
td {{ padding: 12px }} @media (max-width:600px) {{ .wide {{ width: 100% !important }} }}
</style></head><body bgcolor="#fafafa"><table class="wide" width="600"><tr><td>尊敬的 {{{{name}}}}：
<!--[if mso]><table><tr><td><![endif]--><b>优惠</b><!--[if mso]></td></tr></table><![endif]-->
<a href="https://www.example.com/?a=1&amp;b={{{{code}}}}">查看{extra}</a></td></tr></table></body></html>"""
VALUE = "Object.values(Jodit.instances)[0].value"


@pytest.fixture
def page(visit: Callable[..., Visitor]) -> Iterator[Page]:
    page = visit(OWNER).page
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(ADD)
    expect(page.locator(".jodit-container")).to_be_visible()
    yield page


def body(page: Page) -> Locator:
    return frame(page).locator("body")


def frame(page: Page) -> FrameLocator:
    return page.frame_locator(".jodit-wysiwyg_iframe")


def press(page: Page, button: str) -> None:
    page.locator(f".jodit-toolbar-button_{button} button").first.click()


def submit(page: Page) -> None:
    page.locator(".form-actions").get_by_role("button", name="提交").click()


def picture(width: int = 800) -> dict[str, object]:
    target = BytesIO()
    Image.new("RGB", (width, 100), "#0b7a75").save(target, "PNG")
    return {"name": "横幅.png", "mimeType": "image/png", "buffer": target.getvalue()}


def upload(page: Page, text: str, charset: str = "utf-8") -> None:
    file = {"name": "mail.html", "mimeType": "text/html", "buffer": text.encode(charset)}
    page.locator("#id_html_file").set_input_files([file])  # type: ignore[list-item]
    expect(page.locator(".alert-info")).to_contain_text("mail.html")
    expect(page.locator(".jodit-container")).to_be_visible()


def test_a_mail_is_written_with_parameters_and_a_picture_and_stored(page: Page) -> None:
    page.get_by_label("模板标题").fill("编辑器写的模板")
    body(page).click()
    page.keyboard.type("Hello")
    press(page, "parameter")
    panel = page.locator(".jodit-popup .parameter-panel")
    for name in ("9lives", "参数"):
        panel.get_by_label("参数名称").fill(name)
        panel.get_by_role("button", name="插入").click()
        expect(panel.get_by_role("alert")).to_contain_text("字母开头")
    panel.get_by_label("参数名称").fill("user_name")
    panel.get_by_label("参数名称").press("Enter")
    expect(body(page)).to_contain_text("Hello{{user_name}}")
    expect(page.locator("[data-parameter-names] code")).to_have_text(["user_name"])
    expect(page.locator(".template-side [data-parameter-count]")).to_have_text("1/15")
    press(page, "parameter")
    panel.get_by_role("button", name="user_name").click()
    expect(body(page)).to_contain_text("{{user_name}}{{user_name}}")
    press(page, "picture")
    page.locator("[data-picture-text]").fill("横幅")
    page.locator("[data-picture-file]").set_input_files([picture()])  # type: ignore[list-item]
    shown = frame(page).get_by_role("img", name="横幅")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") == 800
    assert shown.get_attribute("width") == "600"
    assert not list(faults(page))

    submit(page)

    expect(page).to_have_url("/email/templates/")
    page.get_by_role("link", name="编辑器写的模板", exact=True).click()
    mail = page.frame_locator(".template-frame-main")
    expect(mail.locator("body")).to_contain_text("Hello")
    assert mail.get_by_role("img", name="横幅").evaluate("image => image.naturalWidth") == 800
    page.get_by_text("示例值").click()
    page.get_by_label("user_name").fill("李雷")
    expect(mail.locator("body")).to_contain_text("李雷李雷")


def test_an_uploaded_mail_goes_through_the_editor_unchanged(page: Page) -> None:
    text = MAIL.format(extra="")
    upload(page, text)

    stored = page.locator("#id_body").input_value()
    assert page.evaluate(VALUE) == stored
    assert "@media (max-width:600px)" in stored
    assert stored.count("<!--[if mso]>") == 2
    assert 'style="padding: 12px"' in stored
    press(page, "source")
    expect(page.locator(".jodit-source__mirror")).to_be_visible()
    press(page, "source")
    expect(page.locator(".jodit-wysiwyg_iframe")).to_be_visible()
    assert page.evaluate(VALUE) == stored
    frame(page).get_by_text("优惠").click()
    page.keyboard.press("End")
    page.keyboard.type("！")
    expect(page.locator("#id_body")).not_to_have_value(stored)
    assert page.evaluate(VALUE).replace("！", "") == stored


def test_a_file_replaces_what_was_written_only_after_a_question(visit: Callable[..., Visitor]) -> None:
    page = visit(OWNER).page
    questions = []

    def answer(dialog: Dialog) -> None:
        if dialog.type == "beforeunload":
            dialog.accept()
        else:
            questions.append(dialog.message)
            dialog.dismiss()

    page.on("dialog", answer)
    page.goto(ADD)
    body(page).click()
    page.keyboard.type("mine")
    file = {"name": "mail.html", "mimeType": "text/html", "buffer": b"<p>other</p>"}
    page.locator("#id_html_file").set_input_files([file])  # type: ignore[list-item]

    expect(body(page)).to_have_text("mine")
    assert len(questions) == 1
    expect(page.locator("#id_html_file")).to_have_value("")


def test_what_was_left_out_of_a_file_is_listed(page: Page) -> None:
    upload(page, MAIL.format(extra="<script>alert(1)</script><form><input></form>"))

    expect(page.locator(".alert-warning")).to_contain_text("<script>, <form>, <input>")
    expect(body(page)).to_contain_text("查看")


@pytest.mark.parametrize("charset", ["gb18030", "utf-16", "utf-8-sig"])
def test_files_in_other_charsets_are_read(page: Page, charset: str) -> None:
    upload(page, MAIL.format(extra="").replace("utf-8", charset.replace("-sig", "")), charset)

    expect(body(page)).to_contain_text("尊敬的 {{name}}：")


def test_plain_text_has_the_same_menu_of_parameters_and_no_editor(page: Page) -> None:
    body(page).click()
    page.keyboard.type("Dear {{name}}")
    page.get_by_label("纯文本").check()

    expect(page.locator(".jodit-container")).to_have_count(0)
    expect(page.get_by_label("邮件正文")).to_have_value("Dear {{name}}")
    expect(page.locator(".template-upload")).to_be_hidden()
    page.get_by_text("插入动态参数").click()
    page.get_by_label("参数名称").fill("code")
    page.get_by_label("参数名称").press("Enter")
    expect(page.get_by_label("邮件正文")).to_have_value("Dear {{name}}{{code}}")
    expect(page.locator(".template-side [data-parameter-count]")).to_have_text("2/15")
    page.get_by_label("富文本").check()
    expect(body(page)).to_have_text("Dear {{name}}{{code}}")


def test_the_preview_opens_beside_the_form(page: Page) -> None:
    upload(page, MAIL.format(extra=""))
    with page.context.expect_page() as opened:
        page.locator(".page-actions").get_by_role("button", name="预览").click()

    tab = opened.value
    mail = tab.frame_locator(".template-frame-main")
    expect(mail.locator("body")).to_contain_text("优惠")
    expect(mail.locator("body")).not_to_contain_text("{{name}}")
    tab.get_by_text("示例值").click()
    tab.get_by_label("name").fill("王小明")
    expect(mail.locator("body")).to_contain_text("尊敬的 王小明")
    tab.get_by_text("纯文本部分").click()
    expect(tab.frame_locator(".template-frame-text").locator("body")).to_contain_text("尊敬的 王小明")
    expect(body(page)).to_contain_text("{{name}}")


def test_a_link_leads_to_a_parameter(page: Page) -> None:
    body(page).click()
    page.keyboard.type("See ")
    press(page, "link")
    panel = page.get_by_role("dialog")
    panel.get_by_label("链接地址").fill("{{order_url}}")
    panel.get_by_label("文字").fill("your order")
    panel.get_by_role("button", name="插入").click()

    expect(body(page).locator("a")).to_have_attribute("href", "{{order_url}}")
    expect(page.locator("[data-parameter-names]")).to_contain_text("order_url")


def test_a_picture_that_is_none_is_refused_in_words(visit: Callable[..., Visitor]) -> None:
    visitor = visit(OWNER)
    visitor.expects(422)
    page = visitor.page
    page.goto(ADD)
    press(page, "picture")
    file = {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.locator("[data-picture-file]").set_input_files([file])  # type: ignore[list-item]

    expect(page.locator("[data-picture-problem]")).to_contain_text("不是图片")


def test_an_error_brings_the_form_back_with_everything_in_it(visit: Callable[..., Visitor]) -> None:
    visitor = visit(OWNER)
    visitor.expects(422)
    page = visitor.page
    page.goto(ADD)
    page.get_by_label("模板标题").fill("还没写好")
    body(page).click()
    page.keyboard.type("Dear {{参数名称}}")
    submit(page)

    expect(page.get_by_role("alert").first).to_contain_text("{{参数名称}}")
    expect(page.get_by_label("模板标题")).to_have_value("还没写好")
    expect(body(page)).to_contain_text("Dear {{参数名称}}")
