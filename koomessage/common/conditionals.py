"""Outlook's conditional comments: kept where they hold table and VML tags with plain attributes (PRODUCT.md 6)."""

import re
from collections.abc import Callable, Iterable

_CONDITION = r"\[if\s+[\w\s()!|&.]{1,60}\]"
_HIDDEN = re.compile(rf"\s*({_CONDITION})>(.*)<!\[endif\]\s*", re.DOTALL | re.IGNORECASE)
_OPENING = re.compile(rf"\s*({_CONDITION})><!\s*(?:--\s*)?", re.IGNORECASE)
_CLOSING = re.compile(r"\s*<!\[endif\]\s*", re.IGNORECASE)
_BARE_OPENING = re.compile(rf"<!({_CONDITION})>", re.IGNORECASE)
_BARE_CLOSING = re.compile(r"<!\[endif\]>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEAD = re.compile(r"\s*<(?:xml|style|noscript|meta)\b", re.IGNORECASE)
_TABLE = ("table", "tbody", "tr", "td", "th")
_SHAPES = ("v:group", "v:oval", "v:rect", "v:roundrect", "v:shape", "v:textbox")
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>table|tbody|tr|td|th|v:[a-z]{1,20}|w:anchorlock)"
    r"(?P<attributes>(?:\s+[a-z][\w:.-]*(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=/]+))?)*)\s*/?>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([a-z][\w:.-]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))", re.IGNORECASE)
_CODE = re.compile(r"expression|behaviou?r|@import|url\s*\(|script\s*:|data\s*:|\\|&#", re.IGNORECASE)
_PLACE = re.compile("\ufdd0([0-9]+)\ufdd1")
_HELD = re.compile(r"<!--koo:([0-9]+)-->")

IsAddress = Callable[[str], bool]


class Conditionals:
    """The conditional comments of one body, taken out while it is cleaned and put back afterwards.

    `is_link` and `is_picture` judge the addresses in them.
    """

    def __init__(self, *, is_link: IsAddress, is_picture: IsAddress) -> None:
        self._is_link = is_link
        self._is_picture = is_picture
        self._kept: list[str] = []
        self._dropped: list[str] = []
        self._left_out: list[str] = []

    @staticmethod
    def spell_out(text: str) -> str:
        """Write `<![if x]>` as the comment that every parser reads alike; take out what stands for us."""
        text = text.translate({0xFDD0: None, 0xFDD1: None})
        # Inside comments the short form is part of the content.
        parts = re.split(r"(<!--.*?(?:-->|\Z))", text, flags=re.DOTALL)
        parts[::2] = [
            _BARE_CLOSING.sub("<!--<![endif]-->", _BARE_OPENING.sub(r"<!--\1><!-->", part))
            for part in parts[::2]
        ]
        return "".join(parts)

    def take(self, comment: str) -> str:
        """Return what stands in the comment's place: a mark for one that may stay, else nothing."""
        hidden = _HIDDEN.fullmatch(comment)
        opening = _OPENING.fullmatch(comment)
        if hidden and self._is_plain(hidden[2]):
            return self._keep(f"<!--{hidden[1]}>{hidden[2]}<![endif]-->")
        if opening:
            return self._keep(f"<!--{opening[1]}><!-->")
        if _CLOSING.fullmatch(comment):
            return self._keep("<!--<![endif]-->")
        if comment.lstrip().lower().startswith("[if"):
            # What belongs to Outlook's head leaves no gap in the body.
            gaps = self._left_out if hidden and _HEAD.match(hidden[2]) else self._dropped
            gaps.append(f"<!--{comment.partition('>')[0].strip()}-->"[:40])
        return ""

    def hold(self, text: str) -> str:
        """Turn the marks into comments, which a parser leaves where they are, even between table rows."""
        return _PLACE.sub(r"<!--koo:\1-->", text)

    def put_back(self, text: str, removed: dict[str, None]) -> str:
        """Put back what may stay, drop every other comment, and note what was dropped."""
        wanted = self._consistent(int(number) for number in _HELD.findall(text))

        def restore(found: re.Match[str]) -> str:
            held = _HELD.fullmatch(found.group())
            return self._kept[int(held[1])] if held and int(held[1]) in wanted else ""

        removed.update(dict.fromkeys(self._dropped + self._left_out))
        return _COMMENT.sub(restore, text)

    def _keep(self, comment: str) -> str:
        self._kept.append(comment)
        return f"\ufdd0{len(self._kept) - 1}\ufdd1"

    def _is_plain(self, content: str) -> bool:
        if _TAG.sub("", content).strip():
            return False
        return all(self._is_harmless(tag["attributes"]) for tag in _TAG.finditer(content))

    def _is_harmless(self, attributes: str) -> bool:
        for name, double, single, bare in _ATTRIBUTE.findall(attributes):
            value = double + single + bare
            if name.lower().startswith("on") or _CODE.search(value):
                return False
            # What fills a parameter may hold blanks and semicolons: it stands between quotes, and in no style.
            if "{{" in bare or ("{{" in value and name.lower() == "style"):
                return False
            if name.lower() == "href" and not self._is_link(value):
                return False
            if name.lower() in ("src", "background") and not self._is_picture(value):
                return False
        return True

    def _consistent(self, numbers: Iterable[int]) -> set[int]:
        """Keep a set that no mail client can trip over: tables and shapes closed that were opened, marks in pairs.

        Where one hidden part was dropped, what the marks hide from Outlook is shown to it as well.
        """
        found = [number for number in dict.fromkeys(numbers) if number < len(self._kept)]
        marks = [number for number in found if self._kept[number].endswith(("<!-->", "<!--<![endif]-->"))]
        hidden = [number for number in found if number not in marks]
        in_pairs = all(
            self._kept[number].endswith("<!-->") == (position % 2 == 0)
            for position, number in enumerate(marks)
        )
        is_closed = self._is_closed(hidden, _TABLE) and self._is_closed(hidden, _SHAPES)
        if not is_closed or not in_pairs or len(marks) % 2:
            self._dropped += [f"{self._kept[number].partition('>')[0]}-->"[:40] for number in hidden]
            return set()
        return {*hidden, *(() if self._dropped else marks)}

    def _is_closed(self, numbers: Iterable[int], names: tuple[str, ...]) -> bool:
        depth = 0
        for number in numbers:
            for tag in _TAG.finditer(self._kept[number]):
                if tag["name"].lower() in names and not tag.group().endswith("/>"):
                    depth += -1 if tag["end"] else 1
                    if depth < 0:
                        return False
        return depth == 0
