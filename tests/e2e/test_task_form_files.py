"""Files of the form 新建发送任务 in a real browser: chosen, dropped, measured, uploaded."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.task_page import ADD, MIB, file, submit
from tests.e2e.visitor import Visitor, assert_not_reloaded, mark
from tests.e2e.workbook import recipient_file

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


def test_attachments_are_gathered_measured_and_outlive_an_error(visitor: Visitor, page: Page) -> None:
    visitor.expects(422)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.url.endswith(ADD) else None)
    field, box = page.locator("#id_attachments"), page.locator("[data-files=attachments]")
    field.set_input_files([file("价目表.pdf", MIB)])
    field.set_input_files([file("b.bin", 2 * MIB), file("c.bin", MIB)])

    lines = box.locator("[data-file-list] li")
    expect(lines).to_have_count(3)
    expect(lines.first).to_contain_text("价目表.pdf")
    expect(lines.first).to_contain_text("1.0 MB")
    expect(box.locator("[data-room-text]")).to_have_text("4.0 MB / 4.0 MB")
    expect(box.locator("[data-files-problem]")).to_be_empty()

    field.set_input_files([file("d.txt", 1)])
    expect(box.locator("[data-files-problem]")).to_contain_text("超过 4 MB")
    submit(page)
    expect(field).to_be_focused()
    assert asked == []
    box.get_by_role("button", name="移除 b.bin").click()
    expect(box.locator("[data-files-problem]")).to_be_empty()
    expect(lines).to_have_count(3)

    submit(page)
    expect(page.locator("#id_name_error")).to_be_visible()
    expect(lines).to_have_count(3)
    assert field.evaluate("input => [...input.files].map((file) => file.name)") == [
        "价目表.pdf",
        "c.bin",
        "d.txt",
    ]
    field.set_input_files([file(f"{number}.txt", 1) for number in range(8)])
    expect(box.locator("[data-files-problem]")).to_contain_text("最多添加 10 个附件")
    assert_not_reloaded(page)
    assert not list(faults(page))


def test_a_file_dropped_on_its_field_is_taken_and_one_beside_it_opens_nothing(page: Page) -> None:
    drop = """(target) => {
      const carried = new DataTransfer();
      carried.items.add(new File(["x"], "dropped.txt"));
      const told = { dataTransfer: carried, bubbles: true, cancelable: true };
      target.dispatchEvent(new DragEvent("dragover", told));
      const isOver = Boolean(document.querySelector(".file-control.is-over"));
      return [isOver, target.dispatchEvent(new DragEvent("drop", told))];
    }"""

    # Chromium itself takes what is dropped on a file field, where the page does not prevent it.
    assert page.locator("#id_attachments").evaluate(drop) == [True, True]
    assert page.locator("h1").evaluate(drop) == [False, False]
    expect(page.locator(".file-control.is-over")).to_have_count(0)


def test_a_recipient_file_is_judged_before_it_is_uploaded_and_its_upload_is_shown(
    visitor: Visitor, page: Page
) -> None:
    visitor.expects(422)
    page.get_by_role("radio", name="文件上传").check()
    field, box = page.locator("#id_file"), page.locator("[data-files=sheet]")
    field.set_input_files([file("收件人.csv", 100)])
    expect(box.locator("[data-files-problem]")).to_contain_text(".xlsx")
    box.get_by_role("button", name="移除 收件人.csv").click()
    expect(box.locator("[data-files-problem]")).to_be_empty()
    field.evaluate(
        """(input, size) => {
          const carried = new DataTransfer();
          carried.items.add(new File([new Uint8Array(size)], "large.xlsx"));
          input.files = carried.files;
          input.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        40 * MIB + 1,
    )
    expect(box.locator("[data-files-problem]")).to_contain_text("超过 40 MB")

    page.evaluate(
        """() => {
          window.seen = [];
          const shown = document.querySelector("[data-upload-text]");
          new MutationObserver(() => window.seen.push(shown.textContent)).observe(shown, { childList: true });
        }"""
    )
    field.set_input_files(recipient_file(("收件人邮箱",), ("a@mail.example",)))
    expect(box.locator("[data-file-list] li")).to_contain_text("收件人.xlsx")
    submit(page)
    expect(page.locator("#id_name_error")).to_be_visible()
    assert "上传完成，正在检查文件。" in page.evaluate("window.seen")
    expect(page.locator("[data-upload]")).to_be_hidden()
    expect(page.locator("[data-files=sheet] [data-file-list] li")).to_contain_text("收件人.xlsx")
