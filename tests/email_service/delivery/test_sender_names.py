"""The name recipients see: whatever the alias holds, readers of mail get the same name and one mailbox."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from email_service.delivery.headers import from_field

ADDRESS = "news@shop.example"
WORD = re.compile(rb"=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=")
ALIASES = [
    "Acme News",
    "云消息客服",
    "文" * 64,
    "🚀 云消息 👨‍👩‍👧",
    "👍🏽" * 32,
    "شركة المثال",
    "עברית Acme",
    "हिन्दी",
    "Ünïcödé",
    'a "quoted" name',
    "back\\slash",
    'both \\" of them\\',
    "Acme, Inc.; <sales@evil.example>",
    "a, b@evil.example",
    "(comment) Acme",
    "Acme: group;",
    "x" * 64,
    "=?utf-8?B?QWNtZQ==?=",
    "'single'",
    "end with backslash\\",
]


def assert_reads_as(alias: str) -> None:
    """Read the field by the rules of RFC 5322, then its encoded words by those of RFC 2047."""
    field = from_field(ADDRESS, alias)

    assert field.startswith(b"From: ") and field.endswith(b"\r\n")
    assert field.isascii()
    assert all(line.startswith(b" ") for line in field.split(b"\r\n")[1:-1])
    assert max(map(len, field.split(b"\r\n"))) <= 78
    assert all(len(word) <= 75 for word in WORD.findall(field))
    message = message_from_bytes(field + b"\r\n", policy=policy.default)
    assert message.keys() == ["From"]
    (mailbox,) = message["From"].addresses
    assert mailbox.addr_spec == ADDRESS
    unfolded = field.decode("ascii").removeprefix("From: ").replace("\r\n", "")
    ((name, address),) = getaddresses([unfolded])
    assert (str(make_header(decode_header(name))), address) == (alias, ADDRESS)


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_of_any_script_comes_back_and_the_mailbox_stays_alone(alias: str) -> None:
    assert_reads_as(alias)


@given(
    st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Zs"), include_characters=" "))
    .map(lambda text: re.sub(" +", " ", text).strip()[:64].strip())
    .filter(bool)
)
def test_any_alias_that_the_form_takes_comes_back(alias: str) -> None:
    assert_reads_as(alias)


def test_without_an_alias_the_address_stands_alone() -> None:
    assert from_field(ADDRESS, "") == b"From: <news@shop.example>\r\n"


def test_no_alias_makes_another_field() -> None:
    field = from_field(ADDRESS, "Acme\r\nBcc: all@evil.example\r\n\r\nbody")

    assert message_from_bytes(field + b"\r\n").keys() == ["From"]
