"""What a mail says, read by a parser that the clean-up does not use."""

import re
from dataclasses import dataclass

from lxml import etree, html

# What these hold is no text, or is refused together with them.
_NO_TEXT = ("head", "iframe", "noscript", "script", "select", "style", "svg", "title", "video")
_BLANKS = re.compile(r"[\s\u00a0]+")


@dataclass(frozen=True)
class Content:
    """Words in order, (address, words) of each link, (address, alternative, width, height) of each picture."""

    words: list[str]
    links: list[tuple[str, str]]
    pictures: list[tuple[str, str, str, str]]


def content_of(document: str) -> Content:
    """Read a document, or a part of one; text that is hidden counts like any other."""
    root = html.document_fromstring(f"<html><body>{document}</body></html>")
    for element in list(root.iter(etree.Comment, etree.ProcessingInstruction, *_NO_TEXT)):
        _drop(element)
    return Content(
        _words(root),
        [(a.get("href").strip(), " ".join(_words(a))) for a in root.iter("a", "area") if a.get("href")],
        [
            (img.get("src", ""), *(img.get(name, "") for name in ("alt", "width", "height")))
            for img in root.iter("img")
        ],
    )


def _drop(element: etree._Element) -> None:
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if element.tail:
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _words(element: etree._Element) -> list[str]:
    return [word for text in element.itertext() for word in _BLANKS.split(text) if word]
