"""What the tests of the built-in templates ask of each: kind, language, style, and the texts that a reader sees."""

from collections.abc import Iterator

from lxml import html

from email_service.mail_templates.catalogue import BuiltIn, built_in

TEMPLATES = {entry.file: entry for entry in built_in()}
FILES = sorted(TEMPLATES)


def kind_of(built: BuiltIn) -> str:
    return built.file.split(".")[0]


def language_of(built: BuiltIn) -> str:
    return built.file.split(".")[1]


def style_of(element: html.HtmlElement) -> dict[str, str]:
    pairs = (line.partition(":") for line in element.get("style", "").split(";") if line.strip())
    return {name.strip(): value.strip() for name, _colon, value in pairs}


def is_hidden(element: html.HtmlElement) -> bool:
    return any(style_of(one).get("display") == "none" for one in (element, *element.iterancestors()))


def texts_of(body: str) -> Iterator[tuple[html.HtmlElement, str]]:
    """Each piece of text that a reader sees, with the element that gives it its looks."""
    for element in html.fragment_fromstring(body, create_parent="div").iter():
        for owner, text in ((element, element.text), (element.getparent(), element.tail)):
            if owner is not None and text and text.strip() and not is_hidden(owner):
                yield owner, " ".join(text.split())


def looks_of(element: html.HtmlElement, name: str) -> str:
    return next(
        value for one in (element, *element.iterancestors()) if (value := style_of(one).get(name, ""))
    )
