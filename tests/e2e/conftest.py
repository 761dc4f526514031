"""The real demo, and people who use it in a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from koomessage.demo.browser import NotAsExpected
from koomessage.demo.people import Person
from koomessage.demo.walk import Demo
from tests.e2e.visitor import PATIENCE, Visitor, sign_in

CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip

expect.set_options(timeout=PATIENCE)


# Django writes a traceback beside each refusal, too, which is no error.
ERRORS = (" ERROR ", " CRITICAL ", "[ERROR]", "[CRITICAL]")
EXCERPT = 3000  # of a log, from the first error on


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    found = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    assert found, "Chromium is needed: install it, or say where it is by CHROMIUM_PATH."
    return {**browser_type_launch_args, "executable_path": found, "args": list(CHROMIUM)}


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the demo answers; it runs for the whole session, and must end without an error in its logs."""
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        try:
            found = demo.wait()
        except NotAsExpected as problem:
            pytest.fail(f"{problem}\n{demo.tails()}")
        yield found
    finally:
        is_stopped = demo.stop()
    logs = {log.name: log.read_text(encoding="utf-8", errors="replace") for log in demo.folder.glob("*.log")}
    errors = [
        f"{name}: {text[text.index(mark) : text.index(mark) + EXCERPT]}"
        for name, text in logs.items() for mark in ERRORS if mark in text
    ]  # fmt: skip
    assert not errors, "\n".join(errors)
    assert is_stopped, "The demo had to be killed."


@pytest.fixture(scope="session")
def signed_in(browser: Browser, address: str) -> Callable[[Person], Any]:
    """Sign a person in through the page, once; return the cookies that this leaves behind."""
    states: dict[str, Any] = {}

    def state_of(person: Person) -> Any:
        if person.login not in states:
            visitor = Visitor(browser, address)
            sign_in(visitor.page, person)
            states[person.login] = visitor.context.storage_state()
            visitor.leave()
        return states[person.login]

    return state_of


@pytest.fixture
def visit(
    browser: Browser, address: str, signed_in: Callable[[Person], Any]
) -> Iterator[Callable[..., Visitor]]:
    """Open a browser window for a person (None: a stranger); any error in its console fails the test."""
    visitors: list[Visitor] = []

    def open_window(person: Person | None = None, **options: Any) -> Visitor:
        state = signed_in(person) if person else None
        visitor = Visitor(browser, address, storage_state=state, **options)
        visitors.append(visitor)
        return visitor

    yield open_window
    problems = [problem for visitor in visitors for problem in visitor.leave()]
    assert problems == []
