"""An export from its button to the file on one's disk."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from koomessage.demo.people import OWNER
from tests.e2e.inspection import faults
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e


@pytest.fixture
def page(visit: Callable[..., Visitor]) -> Page:
    return visit(OWNER).page


def ask(page: Page, kind: str) -> None:
    """Narrow the details to delivered mail and export that by the button."""
    page.goto("/email/details/?status=delivered")
    page.locator("#message-list").get_by_role("link", name="导出").click()
    dialog = page.get_by_role("dialog", name="导出发送明细")
    dialog.get_by_label(kind).check()
    dialog.get_by_role("button", name="导出").click()
    page.wait_for_url("**/email/downloads/")


def download(page: Page) -> Path:
    """Wait until the newest is ready, without loading the page again, and take its file."""
    newest = page.locator("#download-list tbody tr").first
    expect(newest.get_by_role("link", name="下载")).to_be_visible()
    with page.expect_download() as found:
        newest.get_by_role("link", name="下载").click()
    return Path(found.value.path())


def test_the_file_holds_the_rows_that_the_page_names(page: Page) -> None:
    ask(page, "CSV")

    content = download(page).read_bytes().decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(content, newline="")))
    named = page.locator("#download-list tbody tr").first.locator("td").nth(2).inner_text()
    assert rows[0][0] == "消息ID"
    assert len(rows) - 1 == int(named.replace(",", "")) > 0
    assert {row[4] for row in rows[1:]} == {"已送达"}
    assert all(row[9].startswith("***@") for row in rows[1:])
    assert list(faults(page)) == []


def test_a_workbook_can_be_created_again_and_deleted(page: Page) -> None:
    ask(page, "Excel")
    first = CalamineWorkbook.from_path(str(download(page))).get_sheet_by_index(0).to_python()
    lines = page.locator("#download-list tbody tr")
    number = lines.count()

    lines.first.get_by_role("button", name="重新生成").click()
    expect(lines).to_have_count(number + 1)
    again = CalamineWorkbook.from_path(str(download(page))).get_sheet_by_index(0).to_python()
    assert len(again) >= len(first) > 1

    lines.first.get_by_role("link", name="删除").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(lines).to_have_count(number)
