"""统计报表 in a browser: ranges, filters, what is behind a figure, a legend that is remembered, the keyboard."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from koomessage.demo.people import OWNER
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e
DAYS = "/email/reports/?kind=day"


@pytest.fixture
def page(visit: Callable[..., Visitor]) -> Page:
    visitor = visit(OWNER)
    visitor.page.goto(DAYS)
    expect(visitor.page.locator(".report-chart canvas")).to_be_visible()
    return visitor.page


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def sent(page: Page) -> int:
    return int(page.locator(".report-total td").first.inner_text().replace(",", ""))


def test_a_preset_refreshes_at_once_and_keeps_type_and_filter(page: Page) -> None:
    page.locator("#report-form [name=sender]").fill("news")
    page.locator("#report-form [name=sender]").press("Tab")
    expect(page).to_have_url(re.compile("sender=news"))

    page.get_by_role("link", name="近7天").click()

    expect(page.get_by_role("link", name="近7天")).to_have_attribute("aria-current", "true")
    assert query(page)["kind"] == ["day"] and query(page)["sender"] == ["news"]


def test_a_task_chosen_from_the_list_narrows_the_report_and_clearing_brings_all_back(page: Page) -> None:
    whole = sent(page)
    code = page.locator("#report-tasks option").first.get_attribute("value")
    field = page.locator("#report-form [name=task]")
    field.fill(str(code))
    field.press("Tab")
    expect(page).to_have_url(re.compile(f"task={code}"))

    assert page.locator(".report-total").count() == 0 or sent(page) < whole

    page.locator(".report-reset").click()
    expect(page.locator(".report-reset")).to_have_count(0)
    assert sent(page) == whole


def test_each_figure_leads_to_as_many_mails_as_it_says(page: Page) -> None:
    # The oldest day: nothing that is sent meanwhile belongs to it.
    links = page.locator(".report-table tbody tr").last.locator("a")
    figures = [(int(link.inner_text().replace(",", "")), link.get_attribute("href")) for link in links.all()]
    assert len(figures) >= 2
    for number, link in figures:
        page.goto(f"{link}&size=100")
        shown = page.locator("#message-list tbody tr").count()
        while (more := page.locator("#message-list .pager a[rel=next]")).count():
            before = page.url
            more.click()
            expect(page).not_to_have_url(before)
            shown += page.locator("#message-list tbody tr").count()
        assert shown == number, link


def test_what_the_legend_hides_stays_hidden_across_swaps_and_reloads(page: Page) -> None:
    box = page.locator(".report-chart canvas").bounding_box()
    assert box is not None
    names = page.evaluate(
        "echarts.getInstanceByDom(document.querySelector('.report-chart')).getOption().series.map(one => one.name)"
    )
    page.evaluate(
        "name => echarts.getInstanceByDom(document.querySelector('.report-chart'))"
        ".dispatchAction({type: 'legendToggleSelect', name})",
        names[1],
    )
    expect(page).to_have_url(re.compile("hide=danger"))
    selected = (
        "echarts.getInstanceByDom(document.querySelector('.report-chart')).getOption().legend[0].selected"
    )

    page.get_by_role("link", name="近30天").click()
    page.wait_for_load_state("networkidle")
    expect(page).to_have_url(re.compile("hide=danger"))
    assert page.evaluate(selected)[names[1]] is False

    page.reload()
    expect(page.locator(".report-chart canvas")).to_be_visible()
    assert page.evaluate(selected)[names[1]] is False
    assert page.evaluate(selected)[names[0]] is True


def test_ranges_figures_and_table_are_reached_by_keyboard(page: Page) -> None:
    page.locator("#report-form [name=last]").focus()
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className"))
        if "table-wrap" in reached[-1]:
            break
    assert reached.count("report-preset") == 7
    assert "table-wrap" in reached[-1]

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "figure-link"
    page.keyboard.press("Enter")
    page.wait_for_url("**/email/details/?created_from=*")
