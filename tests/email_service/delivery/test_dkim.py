import dkim
import pytest

from email_service.delivery.compose import UNSUBSCRIBE_SLOT, Attachment, PersonalLinks
from email_service.delivery.dkim import DkimSigner, generate_key
from tests.email_service.delivery.test_compose import assert_well_formed, make_parts, render

PRIVATE, PUBLIC = generate_key()
SIGNER = DkimSigner("example.com", "k1", PRIVATE)


def verifies(mail: bytes) -> bool:
    def lookup(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"k1._domainkey.example.com."
        return f"v=DKIM1; k=rsa; p={PUBLIC}".encode()

    return dkim.verify(mail, dnsfunc=lookup)


@pytest.mark.parametrize(
    "parts",
    [
        make_parts(),
        make_parts(html=None),
        make_parts(text="", html=None),
        make_parts(
            subject="你好 {{name}}" * 9, from_alias="酷信" * 30, text="汉字 {{name}}\r\n\r\n\r\n" * 40
        ),
        make_parts(attachments=(Attachment("报价.pdf", "application/pdf", b"%PDF" * 5000),)),
    ],
)
def test_a_signed_mail_is_verified_by_another_library(parts):
    mail = SIGNER.sign(render(parts))

    assert verifies(mail)
    assert_well_formed(mail)


def test_the_signature_covers_what_large_providers_ask_for():
    parts = make_parts(text=UNSUBSCRIBE_SLOT)

    mail = SIGNER.sign(render(parts, links=PersonalLinks("https://example.com/u/1")))

    signature = mail.partition(b"\r\nFrom:")[0]
    assert verifies(mail)
    assert (
        b"h=from:from:to:subject:date:message-id:mime-version:content-type:list-unsubscribe:list-unsubscribe-post;"
        in signature
    )
    assert b"l=" not in signature.replace(b"rel", b"")


def test_how_a_plain_mail_is_encoded_is_signed_like_the_rest():
    mail = SIGNER.sign(render(make_parts(html=None)))

    encoding = b"\r\nContent-Transfer-Encoding: quoted-printable"
    assert verifies(mail)
    assert encoding in mail
    assert not verifies(mail.replace(encoding, b"\r\nContent-Transfer-Encoding: 8bit"))


@pytest.mark.parametrize("field", [b"From", b"Subject", b"To", b"Date", b"Message-ID", b"Content-Type"])
def test_a_changed_or_added_from_or_changed_field_breaks_the_signature(field):
    mail = SIGNER.sign(render())

    assert not verifies(mail.replace(b"\r\n" + field + b": ", b"\r\n" + field + b": x", 1))
    assert not verifies(mail.replace(b"\r\nFrom: ", b"\r\nFrom: <evil@example.com>\r\nFrom: ", 1))
    assert not verifies(mail.replace(b"Dear", b"Deer", 1))


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"a", b"a \t b  \r\n \r\n\r\n", b" \r\n", b"a\r\n\r\n b\t\r\n"]
)
def test_bodies_we_did_not_compose_are_canonicalised_too(body):
    assert verifies(SIGNER.sign(b"From: a@example.com\r\nSubject:  folded\r\n\t text \r\n\r\n" + body))


def test_signing_twice_gives_the_same_bytes():
    assert SIGNER.sign(render()) == SIGNER.sign(render())


def test_a_mail_without_headers_and_a_key_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="empty line"):
        SIGNER.sign(b"nothing")
    with pytest.raises(ValueError, match="From"):
        SIGNER.sign(b"To: a@b.c\r\n\r\n")
    with pytest.raises(ValueError):
        DkimSigner("example.com", "k1", b"no key")
