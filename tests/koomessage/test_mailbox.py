"""Which addresses are taken: the fixed table, the lengths, and that the short cut judges as the long way does."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koomessage.common.mailbox import BadAddress, Mailbox, judge_fully, normalise
from tests.koomessage.addresses import REFUSED, TAKEN

DOCUMENT = Path(__file__).parents[2] / "docs" / "recipients.md"
# 189 characters: three labels of the greatest length, less the dots between them.
LONG = ".".join(["d" * 63] * 2)


@pytest.mark.parametrize("text", TAKEN)
def test_an_address_is_taken_as_what_the_table_says(text: str) -> None:
    found = normalise(text)

    assert found.address == TAKEN[text]
    assert found.key == TAKEN[text].lower()
    assert found.domain == TAKEN[text].rpartition("@")[2]
    assert found.is_ascii == TAKEN[text].isascii()


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_table_refuses_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        normalise(text)


@pytest.mark.parametrize(
    ("longest", "too_long"),
    [
        ("a" * 64 + "@qq.com", "a" * 65 + "@qq.com"),
        ("用" * 21 + "@qq.com", "用" * 22 + "@qq.com"),
        ("li@" + "d" * 63 + ".example", "li@" + "d" * 64 + ".example"),
        (f"{'a' * 64}@{LONG}.{'d' * 57}.com", f"{'a' * 64}@{LONG}.{'d' * 58}.com"),
    ],
)  # fmt: skip
def test_lengths_are_judged_to_the_last_octet(longest: str, too_long: str) -> None:
    assert normalise(longest).address == longest
    with pytest.raises(BadAddress):
        normalise(too_long)


def test_two_spellings_of_one_mailbox_have_one_key_and_dots_and_tags_make_another() -> None:
    same = ("Li@QQ.com", " li@qq.com", "ＬＩ＠qq．com", "li@qq.com\u200b")
    others = ("l.i@qq.com", "li+1@qq.com")

    assert {normalise(text).key for text in same} == {"li@qq.com"}
    assert normalise("li@例子.广告").key == normalise("LI@xn--fsqu00a.xn--4rr70v").key
    assert len({normalise(text).key for text in (*same, *others)}) == 3


def judged(text: str, judge: object) -> Mailbox | None:
    try:
        return judge(text)  # type: ignore[operator]
    except BadAddress:
        return None


LOCAL = st.text("abzABZ09.!#'+-_@ \"é", max_size=8) | st.sampled_from(
    ["INFO", "Sales", "www", "a" * 64, "b" * 65]
)
LABEL = st.text("abzABZ09-_", max_size=5) | st.sampled_from(
    ["xn--bcher-kva", "XN--", "d" * 63, "e" * 64, "local"]
)


@given(
    local=LOCAL, labels=st.lists(LABEL, min_size=1, max_size=5), around=st.sampled_from(["", " ", "\n", "."])
)
@example(local="a" * 64, labels=["d" * 63, "d" * 63, "d" * 57, "com"], around="")
@example(local="a" * 64, labels=["d" * 63, "d" * 63, "d" * 58, "com"], around="")
@example(local="POSTMASTER", labels=["qq", "com"], around="")
@example(local="a", labels=["d" * 63, "d" * 63, "d" * 63, "d" * 61], around="")
def test_the_short_cut_for_plain_addresses_judges_as_the_long_way_does(
    local: str, labels: list[str], around: str
) -> None:
    text = f"{local}@{'.'.join(labels)}{around}"

    assert judged(text, normalise) == judged(text, judge_fully)


def test_the_document_shows_the_same_table() -> None:
    rows = re.findall(
        r"^\| <code>(.*?)</code> \| (?:<code>(.*?)</code>|refused: (.*?)) \|$", DOCUMENT.read_text(), re.M
    )

    taken = {spelling: address for spelling, address, reason in rows if not reason}
    refused = {spelling: reason for spelling, _, reason in rows if reason}
    assert taken == {shown(text): shown(address) for text, address in TAKEN.items()}
    assert refused == {shown(text): reason for text, reason in REFUSED.items()}


def shown(text: str) -> str:
    """Write an address as the document does: what cannot be seen as its escape, markup as entities."""
    seen = "".join(char if char.isprintable() and char != "\u0301" else ascii(char)[1:-1] for char in text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;")):
        seen = seen.replace(char, entity)
    return seen
