"""The built-in templates: what mail clients allow, and what readers can read."""

import re
from html.parser import HTMLParser

import pytest
from lxml import html

from email_service.mail_templates.catalogue import BuiltIn
from email_service.mail_templates.rendering import tidy_body
from tests.email_service.mail_templates.mails import FILES, TEMPLATES, kind_of, looks_of, style_of, texts_of

LEAST_CONTRAST = 4.5  # WCAG AA
# What Outlook, Gmail, QQ Mail and NetEase all keep; a property that one of them ignores does no harm without.
CSS = {
    "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius", "border-top",
    "color", "display", "font-family", "font-size", "font-weight", "height", "letter-spacing", "line-height",
    "margin", "max-height", "max-width", "mso-hide", "mso-padding-alt", "opacity", "overflow", "padding",
    "table-layout", "text-decoration", "vertical-align", "white-space", "width", "word-break",
}  # fmt: skip


@pytest.fixture(params=FILES)
def built(request: pytest.FixtureRequest) -> BuiltIn:
    return TEMPLATES[request.param]


def test_the_sanitiser_changes_nothing(built: BuiltIn):
    first = tidy_body(body_type="rich", body=built.body)
    second = tidy_body(body_type="rich", body=first.body)

    assert first.removed == second.removed == ()
    assert first.body + "\n" == second.body + "\n" == built.body


def test_the_html_is_well_formed(built: BuiltIn):
    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert len({name for name, _value in attrs}) == len(attrs), tag
            if tag != "br":
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    open_tags: list[str] = []
    reader = Reader()
    reader.feed(built.body)
    reader.close()

    assert open_tags == []
    root = html.fragment_fromstring(built.body)
    assert [heading.tag for heading in root.iter("h1", "h2", "h3")][:1] == ["h1"]
    assert len(list(root.iter("h1"))) == 1
    assert all(table.get("role") == "presentation" for table in root.iter("table"))


def test_nothing_is_loaded_and_links_lead_where_the_account_says(built: BuiltIn):
    root = html.fragment_fromstring(built.body)

    assert not list(root.iter("img", "style", "link", "form", "input", "button", "script"))
    for element in root.iter():
        assert not {"src", "background", "class", "id"} & set(element.keys())
        assert "url(" not in element.get("style", "")
    addresses = [link.get("href") for link in root.iter("a")]
    assert all(re.fullmatch(r"\{\{[a-z]+(?:_[a-z]+)*_url(?:_\d)?\}\}", address) for address in addresses)
    assert len(addresses) == len(set(addresses)) or kind_of(built) == "password-reset"


def test_only_css_that_mail_clients_keep_is_used(built: BuiltIn):
    for element in html.fragment_fromstring(built.body).iter():
        style = style_of(element)
        assert set(style) <= CSS, element.tag
        assert style.get("display", "block") in ("block", "inline-block", "none")
        assert not re.search(
            r"calc|var\(|rgba|hsl|(?<![\w-])-\d|\d(?:em|rem|vw|vh)\b", " ".join(style.values())
        )
        # Outlook reads the attributes, other clients the CSS.
        if element.tag in ("td", "table") and "background-color" in style:
            assert element.get("bgcolor") == style["background-color"]
        if element.tag == "td" and style.get("width", "").endswith("%"):
            assert element.get("width") == style["width"]


def test_the_mail_is_600_pixels_wide_and_gives_way_on_a_phone(built: BuiltIn):
    root = html.fragment_fromstring(built.body)
    outer, frame, *_inner = root.iter("table")

    assert (outer.get("width"), style_of(outer)["width"], style_of(outer)["table-layout"]) == (
        "100%",
        "100%",
        "fixed",
    )
    assert frame.get("width") == "600"
    assert (style_of(frame)["width"], style_of(frame)["max-width"]) == ("600px", "100%")
    widths = [element.get("width", "0") for element in root.iter("table", "td") if element is not frame]
    assert all(width.endswith("%") or int(width) <= 60 for width in widths)


def test_buttons_keep_their_shape_without_css(built: BuiltIn):
    buttons = [
        link for link in html.fragment_fromstring(built.body).iter("a") if "inline-block" in link.get("style")
    ]

    assert len(buttons) == (
        0 if kind_of(built) in ("verification-code", "newsletter", "holiday-greeting") else 1
    )
    for button in buttons:
        cell = button.getparent()
        assert (cell.tag, cell.get("bgcolor")) == ("td", style_of(cell)["background-color"])
        assert style_of(cell)["padding"] == "4px 10px"
        assert style_of(cell)["mso-padding-alt"] == "14px 32px"
        assert style_of(button)["padding"] == "8px 22px"


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_text_stands_out_from_its_background(built: BuiltIn):
    pieces = list(texts_of(built.body))

    assert len(pieces) > 8
    for element, text in pieces:
        colours = looks_of(element, "color"), looks_of(element, "background-color")
        assert contrast(*colours) >= LEAST_CONTRAST, (text, colours)


def test_contrast_is_reckoned_as_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_text_is_large_enough_and_lines_have_air(built: BuiltIn):
    for element, text in texts_of(built.body):
        size = int(looks_of(element, "font-size").removesuffix("px"))
        line = int(looks_of(element, "line-height").removesuffix("px"))
        assert size >= 12, text
        assert line >= size * 1.25, text
