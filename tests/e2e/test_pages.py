"""Every page, in both languages, widths and themes: nothing too wide, no error, no barrier axe knows of."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from koomessage.demo.people import NEWCOMER, OWNER, READER, Person
from tests.e2e.inspection import faults, misplaced
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e

# After the bar, the link on the page that leads to the one meant.
PAGES: dict[Person | None, tuple[str, ...]] = {
    OWNER: (
        "/", "/packages/", "/packages/purchase/", "/packages/calculator/", "/packages/orders/",
        "/email/domains/", "/email/domains/add/", "/email/domains/|#domain-list td a",
        "/email/domains/|#domain-list a[href$='/delete/']",
        "/email/addresses/", "/email/addresses/add/", "/email/addresses/|#address-list a[href$='/test/']",
        "/email/templates/", "/email/templates/public/", "/email/templates/add/", "/email/templates/|.template-title a",
        "/email/templates/|a[href$='/preview/']", "/email/templates/pictures/",
        "/email/tasks/", "/email/tasks/add/", "/email/tasks/|#task-list td a",
        "/email/details/", "/email/details/|#message-list td a", "/email/details/export/", "/email/downloads/",
        "/email/details/columns/", "/email/details/count/",
        "/email/reports/", "/email/reports/|.tabs a:nth-child(2)", "/email/suppression/", "/email/suppression/add/",
        "/iam/", "/iam/users/add/", "/iam/groups/", "/iam/policies/", "/iam/policies/|#policy-list td a",
        "/iam/settings/", "/password/", "/kept/",
        "/demo/inbox/", "/demo/dns/", "/nothing/",
    ),
    READER: ("/email/tasks/", "/email/tasks/add/"),
    NEWCOMER: ("/verification/",),
    None: ("/login/", "/signup/", "/signup/resend/", "/password/forgotten/", "/agreements/service/"),
}  # fmt: skip
REFUSED = {(OWNER, "/nothing/"): 404, (READER, "/email/tasks/add/"): 403}


@pytest.mark.parametrize(
    ("language", "width", "theme"),
    [
        ("zh-hans", "wide", "light"), ("zh-hans", "phone", "dark"),
        ("en", "wide", "dark"), ("en", "phone", "light"),
    ],
)  # fmt: skip
def test_every_page_fits_works_and_is_accessible(
    visit: Callable[..., Visitor], language: str, width: str, theme: str
) -> None:
    found = []
    for person, paths in PAGES.items():
        visitor = visit(person, language=language, width=width, theme=theme)
        visitor.expects(*REFUSED.values())
        for path in paths:
            status = REFUSED.get((person, path), 200)
            found += [
                f"{path}: {problem}"
                for problem in look_at(visitor.page, path, status, has_axe=language == "zh-hans")
            ]
    assert not found, "\n".join(found)


def look_at(page: Page, path: str, status: int, *, has_axe: bool) -> Iterator[str]:
    """Open the page and yield what is wrong with it."""
    start, _, link = path.partition("|")
    answer = page.goto(start)
    if link:
        target = page.locator(link)
        if not target.count():
            yield "no such link"
            return
        answer = page.goto(target.first.evaluate("link => link.href"))
    if answer is None or answer.status != status:
        yield f"answers {answer and answer.status}"
    # English repeats what axe says of the Chinese pages, and takes its time.
    yield from faults(page) if has_axe else misplaced(page)
