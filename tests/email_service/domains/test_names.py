"""What people type as a domain, and what becomes of it."""

import pytest

from email_service.domains import names
from koomessage.common.errors import RuleViolation


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("example.com", "example.com"),
        ("https://Example.com/", "example.com"),
        ("http://mail.example.com:8080/path?x=1#y", "mail.example.com"),
        ("//example.com", "example.com"),
        ("example.com.", "example.com"),
        (" @example.com ", "example.com"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("example。com", "example.com"),
        ("例子.中国", "xn--fsqu00a.xn--fiqs8s"),
        ("xn--fsqu00a.xn--fiqs8s", "xn--fsqu00a.xn--fiqs8s"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("shop.co.uk", "shop.co.uk"),
        ("somebody.github.io", "somebody.github.io"),
        ("https://user:secret@example.com/", "example.com"),
        ("a" * 62 + ".com", "a" * 62 + ".com"),
    ],
)
def test_a_domain_is_tidied(typed, name):
    assert names.normalise(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", ".", "https://",
        "com", "co.uk", "中国", "github.io", "localhost", "127.0.0.1", "[::1]", "a_b.example.com",
        "-a.example.com", "a-.example.com", "a..example.com", ".example.com", "info@example.com", "*.example.com",
        "xn--zzzzzz99999.example", "exa mple.com", "example.com\nexample.org", "a" * 64 + ".com", "a" * 63 + ".com",
        "http://[bad/", "exam\u202eple.com", "example.com,example.org", "<b>.example.com",
    ],
)  # fmt: skip
def test_what_is_no_domain_is_refused_with_a_sentence(typed):
    with pytest.raises(RuleViolation) as refusal:
        names.normalise(typed)

    assert refusal.value.field == "name"
    assert str(refusal.value.message).rstrip()[-1] in ".。"


def test_people_read_the_u_label():
    assert names.display("xn--fsqu00a.xn--fiqs8s") == "例子.中国"
    assert names.display("example.com") == "example.com"


def test_the_registered_part_is_found():
    assert names.registrable("a.b.shop.co.uk") == "shop.co.uk"


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("example.com", "@"),
        ("_dmarc.example.com", "_dmarc"),
        ("mail.example.com", "mail"),
        ("koo1._domainkey.mail.example.com.cn", "koo1._domainkey.mail"),
    ],
)
def test_the_host_is_what_dns_panels_ask_for(name, host):
    assert names.host(name) == host
