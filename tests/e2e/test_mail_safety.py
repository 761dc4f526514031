"""What the clean-up lets through runs nothing and fetches pictures alone, even where scripts may run."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, Route

from email_service.mail_templates.rendering import Draft, parts_of
from koomessage.common.html import sanitize
from tests.e2e.looks import ADDRESS
from tests.email_service.mail_templates.corpus import MAILS
from tests.koomessage.test_html import HOSTILE

pytestmark = pytest.mark.e2e

MAY_RUN = """() => document.querySelector("script, iframe, object, embed, form, input, base, link, svg, math")
  || [...document.querySelectorAll("*")].some((element) => [...element.attributes].some(
    (attribute) => /^(on|hx-|formaction|srcdoc|ping)/.test(attribute.name)))"""
ALARM = "<script>alert(1)</script><link rel=stylesheet href=https://other.example/a.css>"


class Watched:
    """A page where everything may run, and what it did."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.document = ""
        self.done: list[str] = []
        page.on("dialog", lambda dialog: (self.done.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("framenavigated", lambda frame: self.done.append(frame.url) if frame.url != ADDRESS else None)
        page.route("**/*", self._answer)

    def show(self, document: str) -> list[str]:
        """Return what a mail may not do and this one did."""
        self.document, self.done = document, []
        self.page.goto(ADDRESS, wait_until="load")
        if self.page.evaluate(MAY_RUN):
            self.done.append("an element that runs")
        return self.done

    def _answer(self, route: Route) -> None:
        if route.request.url == ADDRESS:
            route.fulfill(body=self.document, content_type="text/html; charset=utf-8")
            return
        if not self._is_allowed(route.request):
            self.done.append(f"{route.request.resource_type} {route.request.url}")
        route.abort()

    @staticmethod
    def _is_allowed(request: Request) -> bool:
        is_icon = request.url == f"{ADDRESS}favicon.ico"
        return is_icon or (request.resource_type == "image" and request.url.startswith("https://"))


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context()
    yield Watched(context.new_page())
    context.close()


@pytest.mark.parametrize(
    "texts", [HOSTILE, [mail.source for mail in MAILS]], ids=["hostile pieces", "whole mails"]
)
def test_nothing_runs_and_nothing_but_pictures_is_fetched(texts: list[str], watched: Watched) -> None:
    done = {
        text: did
        for text in texts
        if (did := watched.show(parts_of(Draft("rich", sanitize(f"<p>a</p>{text}").html, ()))[1] or ""))
    }

    assert done == {}


def test_the_watch_sees_what_runs(watched: Watched) -> None:
    done = watched.show(ALARM)

    assert "dialog 1" in done
    assert "stylesheet https://other.example/a.css" in done
    assert "an element that runs" in done
