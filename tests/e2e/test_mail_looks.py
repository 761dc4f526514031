"""A mail looks the same after the clean-up as its author's file does: wide and narrow, by day and in the dark."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from email_service.mail_templates.rendering import parts_of, tidy_body
from tests.e2e.looks import differences, show
from tests.email_service.mail_templates.corpus import MAILS, Mail

pytestmark = pytest.mark.e2e

_DOCTYPE = re.compile(r"<!doctype[^>]*>", re.IGNORECASE)
_BUTTON = re.compile(r"</?button[^>]*>")
Look = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., Look]]:
    """Open a window without scripts or network, and show documents in it."""
    contexts = []

    def open_window(width: int, scheme: str = "light") -> Look:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=False, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        return lambda document: show(page, document)

    yield open_window
    for context in contexts:
        context.close()


def as_in_a_mail_program(mail: Mail) -> str:
    """Give the author's file what every mail has around it, and take the links and buttons that none may hold.

    Our frame, like the programs that show mails, is in standards mode and has no margins; an author's own rule
    about the body's margin comes later, and wins.
    """
    source = _BUTTON.sub("", _DOCTYPE.sub("", mail.source, count=1))
    for address in mail.refused:
        source = source.replace(f'href="{address}"', "")
    return f"<!doctype html><style>:where(body){{margin:0}}</style>{source}"


@pytest.mark.parametrize("width", [700, 375])
@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.name)
def test_a_mail_looks_as_its_author_made_it(mail: Mail, width: int, window: Callable[..., Look]) -> None:
    look = window(width)

    before = look(as_in_a_mail_program(mail))
    after = look(parts_of(tidy_body(body_type="rich", body=mail.source))[1] or "")

    assert len(before) > 20
    assert "\n".join(differences(before, after, boxes=mail.is_laid_out)) == ""


@pytest.mark.parametrize("name", ["dark_mode", "receipt_bom"])
def test_a_mail_looks_the_same_in_the_dark(name: str, window: Callable[..., Look]) -> None:
    mail = next(mail for mail in MAILS if mail.name == name)
    look = window(700, "dark")

    before = look(as_in_a_mail_program(mail))
    after = look(parts_of(tidy_body(body_type="rich", body=mail.source))[1] or "")

    assert "\n".join(differences(before, after)) == ""


def test_the_judge_sees_what_changes(window: Callable[..., Look]) -> None:
    look = window(700)
    table = (
        '<table><tr><td style="{}">One two</td><td><a href="https://x.example/">three</a></td></tr></table>'
    )
    before = look(table.format("padding:4px"))

    assert not list(differences(before, look(table.format("padding:5px"))))
    moved, coloured = (
        list(differences(before, look(table.format(css)))) for css in ("padding:9px", "color:red")
    )
    assert any(line.startswith("'One': x") for line in moved)
    assert any("color rgb(0, 0, 0) → rgb(255, 0, 0)" in line for line in coloured)
    missing = list(differences(before, look(table.format("display:none"))))
    assert missing[0].startswith("'<td> One two' became '<td> three'")
