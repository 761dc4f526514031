"""The demo's mail server writes down before it answers, and the inbox reads it back newest first."""

import smtplib
import socket
from pathlib import Path

import pytest

from koomessage.demo.inbox import Inbox, InboxWriter
from tests.koomessage.demo.mail_peer import MailPeer

MAIL = (
    b"From: Shop <news@shop.example>\r\nTo: a@example.org\r\nSubject: =?utf-8?b?5L2g5aW9?=\r\n"
    b"Message-ID: <1@shop>\r\n\r\nHello\r\n"
)


def put(writer: InboxWriter, number: int, recipient: str = "a@example.org") -> None:
    content = MAIL.replace(b"<1@shop>", f"<{number}@shop>".encode())
    writer.put(content, sender="b@x", recipients=[recipient], client="127.0.0.1", is_utf8=False)


def test_a_mail_is_in_the_inbox_once_250_was_said(mail_peer: MailPeer, inbox_folder: Path):
    with smtplib.SMTP("127.0.0.1", mail_peer.port) as client:
        client.sendmail("b@bounce.example", ["a@example.org", "c@example.org"], MAIL)

        entries = Inbox(inbox_folder).newest(10)

    assert [entry.recipient for entry in entries] == ["c@example.org", "a@example.org"]
    assert (entries[0].subject, entries[0].from_header, entries[0].message_id) == (
        "你好",
        "Shop <news@shop.example>",
        "<1@shop>",
    )
    assert entries[0].sender == "b@bounce.example"
    assert Inbox(inbox_folder).content(entries[0]) == MAIL


def test_nothing_is_said_when_the_mail_cannot_be_written(
    mail_peer: MailPeer, writer: InboxWriter, monkeypatch: pytest.MonkeyPatch
):
    def full(*args: object, **named: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(writer, "put", full)

    with smtplib.SMTP("127.0.0.1", mail_peer.port) as client, pytest.raises(smtplib.SMTPDataError) as refusal:
        client.sendmail("b@x", ["a@example.org"], MAIL)

    assert refusal.value.smtp_code >= 400


def test_the_extensions_that_the_engine_uses_are_offered(mail_peer: MailPeer):
    with smtplib.SMTP("127.0.0.1", mail_peer.port) as client:
        client.ehlo()

        assert {"pipelining", "8bitmime", "smtputf8", "size"} <= set(client.esmtp_features)


def test_commands_that_come_all_at_once_are_answered_in_order(mail_peer: MailPeer, inbox_folder: Path):
    with socket.create_connection(("127.0.0.1", mail_peer.port), timeout=5) as peer:
        lines = peer.makefile("rb")
        lines.readline()
        peer.sendall(b"EHLO me\r\n")
        while lines.readline()[3:4] == b"-":
            pass
        peer.sendall(b"MAIL FROM:<b@x>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n")
        assert [lines.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        peer.sendall(MAIL + b".\r\nMAIL FROM:<b@x>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n")
        assert [lines.readline()[:3] for _ in range(4)] == [b"250", b"250", b"250", b"354"]
        peer.sendall(MAIL + b".\r\n")
        assert lines.readline()[:3] == b"250"

    assert Inbox(inbox_folder).count() == 2


@pytest.mark.parametrize(
    ("local", "code"), [("bounce-550", 550), ("policy-571", 571), ("defer-451", 451), ("bounce-550+7", 550)]
)
def test_some_local_parts_are_refused_at_any_domain(mail_peer: MailPeer, local: str, code: int):
    with (
        smtplib.SMTP("127.0.0.1", mail_peer.port) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refusal,
    ):
        client.sendmail("b@x", [f"{local}@example.org"], MAIL)

    assert refusal.value.recipients[f"{local}@example.org"][0] == code


def test_who_comes_back_after_greylisting_is_let_in(mail_peer: MailPeer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("koomessage.demo.smtp_server.GREYLISTED_SECONDS", 0.0)

    with smtplib.SMTP("127.0.0.1", mail_peer.port) as client:
        assert client.sendmail("b@x", ["defer-451@example.org"], MAIL) == {}


def test_pages_walk_all_mails_newest_first_across_blocks(
    writer: InboxWriter, inbox_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("koomessage.demo.inbox.BLOCK", 137)
    for number in range(60):
        put(writer, number)
    inbox, seen, before = Inbox(inbox_folder), [], None

    while page := inbox.newest(7, before=before):
        seen += [entry.message_id for entry in page]
        before = page[-1].pk

    assert seen == [f"<{number}@shop>" for number in reversed(range(60))]
    assert inbox.count() == 60
    last = inbox.newest(1)[0]
    assert inbox.get(last.pk) == last


def test_recipients_are_found_whatever_their_case(writer: InboxWriter, inbox_folder: Path):
    put(writer, 1, "Anna@example.org")
    put(writer, 2, "bert@example.org")

    assert [entry.recipient for entry in Inbox(inbox_folder).newest(9, matching="ANNA")] == [
        "Anna@example.org"
    ]


def test_a_line_cut_short_by_a_crash_hides_no_other(writer: InboxWriter, inbox_folder: Path):
    put(writer, 1)
    with (inbox_folder / "index").open("ab") as index:
        index.write(b'{"recipient": "half')

    again = InboxWriter(inbox_folder)
    put(again, 2)
    again.close()

    assert [entry.message_id for entry in Inbox(inbox_folder).newest(9)] == ["<2@shop>", "<1@shop>"]


@pytest.mark.parametrize("pk", [1, 7, 10**6, 10**30])
def test_a_place_where_no_line_starts_holds_no_mail(writer: InboxWriter, inbox_folder: Path, pk: int):
    put(writer, 1)

    assert Inbox(inbox_folder).get(pk) is None
