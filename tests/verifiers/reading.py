"""What every mail must be, read by the standard library's parser and octet by octet."""

import re
from email import message_from_string, policy
from email.errors import NonASCIILocalPartDefect
from email.message import EmailMessage
from urllib.parse import urlsplit

import dkim

from tests.dns_server import Zone
from tests.verifiers.inbound import Arrived
from tests.verifiers.world import look_up

EVERY_MAIL = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "DKIM-Signature")
ONE_CLICK = ("List-Unsubscribe", "List-Unsubscribe-Post")
ENCODED_WORD = re.compile(rb"=\?[^?\s]+\?[^?\s]+\?[^?\s]*\?=")


def parse(content: bytes) -> EmailMessage:
    """Parse strictly: no part and no field has a defect. Mailboxes alone may be UTF-8, as RFC 6532 allows."""
    message = message_from_string(content.decode(), policy=policy.strict)
    assert isinstance(message, EmailMessage)
    assert [defect for part in message.walk() for defect in part.defects] == []
    defects = [defect for field in message.values() for defect in field.defects]
    assert [defect for defect in defects if not isinstance(defect, NonASCIILocalPartDefect)] == []
    return message


def assert_sound(mail: Arrived, *, unsubscribes: bool = False) -> None:
    """Hold the mail against what RFC 5321, 5322, 2047 and 8058 and large providers ask."""
    head = mail.content.partition(b"\r\n\r\n")[0]
    lines = mail.content.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines)
    assert max(map(len, lines)) <= 998
    assert lines[-1] == b""
    assert all(len(word) <= 75 for word in ENCODED_WORD.findall(head))
    message = parse(mail.content)
    # Nothing stands twice, and nothing else: no Precedence, Auto-Submitted, Sender or Bcc.
    coded = () if message.is_multipart() else ("Content-Transfer-Encoding",)
    assert sorted(message.keys()) == sorted([*EVERY_MAIL, *coded, *(ONE_CLICK if unsubscribes else ())])
    if unsubscribes:
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        (uri,) = re.fullmatch(r"<([^<>,\s]+)>", message["List-Unsubscribe"]).groups()
        assert (urlsplit(uri).scheme, urlsplit(uri).query) == ("https", "")
    (author,) = message["From"].addresses
    assert message["Message-ID"].endswith(f"@{author.domain}>")
    assert re.fullmatch(rf"b\+[0-9a-f]+@{re.escape(author.domain)}", mail.sender)


def assert_signed(mail: Arrived, zone: Zone) -> None:
    """Verify the signature by dkimpy with the key that is published, and what it covers."""

    def asked(name: bytes, timeout: int = 5) -> bytes | None:
        return look_up(zone, name.decode())

    judge = dkim.DKIM(mail.content, minkey=2048)
    assert judge.verify(dnsfunc=asked)
    covered = [name.lower() for name in judge.include_headers]
    assert judge.keysize == 2048
    assert covered.count(b"from") == 2
    fields = {name.lower().encode() for name in parse(mail.content)} - {b"dkim-signature"}
    assert fields <= set(covered)
    assert b"l" not in judge.signature_fields
    (author,) = parse(mail.content)["From"].addresses
    assert judge.domain.decode() == author.domain
