"""Somebody at a browser window, whose console is watched."""

import time
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response, WebError, expect

from koomessage.demo.people import Person

WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
SHORT = 2_000
PATIENCE = 20_000  # for what a busy machine does at once when it is not busy


class Visitor:
    """A window of its own: cookies, console and width belong to it alone."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        width: str = "wide",
        language: str = "",
        theme: str = "",
        **options: Any,
    ) -> None:
        self.problems: list[str] = []
        self.expected: set[int] = set()
        wide, high = WIDTHS[width]
        self.context = browser.new_context(
            base_url=address, viewport={"width": wide, "height": high}, **options
        )
        cookies = {"django_language": language, "theme": theme}
        self.context.add_cookies(
            [{"name": name, "value": value, "url": address} for name, value in cookies.items() if value]
        )
        self.context.on("console", self._hear)
        self.context.on("weberror", self._note)
        self.context.on("response", self._judge)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()

    def expects(self, *statuses: int) -> None:
        """Say which refusals this test provokes: the browser writes each into its console."""
        self.expected.update(statuses)

    def leave(self) -> list[str]:
        """Close the window; return what went wrong in it."""
        self.context.close()
        return self.problems

    def _hear(self, message: ConsoleMessage) -> None:
        # The browser's own words, and htmx's.
        is_expected = any(
            said in message.text
            for status in self.expected
            for said in (f"status of {status} ", f"Error Code {status} from")
        )
        if message.type == "error" and not is_expected:
            self.problems.append(f"{message.page.url if message.page else ''}: {message.text}")

    def _note(self, error: WebError) -> None:
        self.problems.append(f"{error.page.url if error.page else ''}: {error.error}")

    def _judge(self, response: Response) -> None:
        if response.status >= 500:
            self.problems.append(f"{response.url} answers {response.status}")


def sign_in(page: Page, person: Person) -> None:
    account, _, name = person.login.rpartition("/")
    page.goto("/login/")
    page.get_by_label("账号").fill(account)
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(person.password)
    page.get_by_role("main").get_by_role("button", name="登录").click()
    expect(page).not_to_have_url("**/login/")
    expect(page.locator(".topbar details.menu")).to_be_visible()


def reload_until(page: Page, found: Locator, *, within: float = 60.0) -> None:
    """Load the page again, as somebody impatient does, until it shows what is looked for."""
    deadline = time.monotonic() + within
    while True:
        try:
            expect(found.first).to_be_visible(timeout=SHORT)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            page.reload()
        else:
            return


def mark(page: Page) -> None:
    """Leave a mark that a newly loaded page would not have."""
    page.evaluate("window.isStill = true")


def assert_not_reloaded(page: Page) -> None:
    assert page.evaluate("window.isStill === true"), f"The page was loaded again: {page.url}"
