"""收件箱: mails as their recipients see them, in the demo alone."""

from pathlib import Path

import pytest
from django.conf import settings as configured
from django.test import Client

from email_service.delivery.dkim import DkimSigner, generate_key
from koomessage.demo import zone
from koomessage.demo.inbox import Inbox, InboxWriter
from koomessage.demo.zone import ZoneRecord
from tests.conftest import FRAGMENT

MAIL = (
    b"From: Shop <news@shop.example>\r\nTo: a@example.org\r\nSubject: Sale\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <1@shop.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
    b"--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
    b"--a\r\nContent-Type: text/plain\r\n\r\nHello <b>&</b> http://shop.example/u?x=1&y=2\r\n"
    b"--a\r\nContent-Type: text/html\r\n\r\n<h1>Hello</h1><script>alert(1)</script>\r\n--a--\r\n"
    b"--m\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=note.txt\r\n\r\nA note\r\n--m--\r\n"
)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


def put(writer: InboxWriter, content: bytes = MAIL, recipient: str = "a@example.org") -> int:
    writer.put(
        content,
        sender="b@bounce.koomessage.example",
        recipients=[recipient],
        client="127.0.0.1",
        is_utf8=False,
    )
    return Inbox(configured.DEMO_INBOX_DIR).newest(1)[0].pk


def test_an_empty_inbox_says_what_to_do(client: Client):
    page = client.get("/demo/inbox/", headers={"accept-language": "en"})

    assert page.status_code == 200
    assert "/email/tasks/" in page.content.decode()


def test_mails_are_listed_newest_first_and_found_by_recipient(client: Client, writer: InboxWriter):
    put(writer)
    put(writer, recipient="bert@example.org")

    everything = client.get("/demo/inbox/").content.decode()
    found = client.get("/demo/inbox/", {"search": "bert"}, **FRAGMENT).content.decode()

    assert everything.index("bert@example.org") < everything.index("a@example.org")
    assert found.lstrip().startswith('<div id="mail-list"')
    assert "bert@example.org" in found
    assert ">a@example.org<" not in found


def test_older_mails_are_one_step_away(client: Client, writer: InboxWriter):
    for number in range(60):
        put(writer, recipient=f"r{number}@example.org")
    first = client.get("/demo/inbox/")

    older = client.get("/demo/inbox/", {"before": first.context["older"]})

    assert [entry.recipient for entry in older.context["entries"]] == [
        f"r{n}@example.org" for n in reversed(range(10))
    ]


@pytest.mark.usefixtures("name_server")
def test_a_signed_mail_passes_dkim_spf_and_dmarc(client: Client, writer: InboxWriter, zone_file: Path):
    private, public = generate_key()
    zone.add(zone_file, ZoneRecord("TXT", "koo1._domainkey.shop.example", f"v=DKIM1; k=rsa; p={public}"))
    zone.add(zone_file, ZoneRecord("CNAME", "_dmarc.shop.example", "_dmarc.koomessage.example"))

    page = client.get(f"/demo/inbox/{put(writer, DkimSigner('shop.example', 'koo1', private).sign(MAIL))}/")

    assert [(found.method, found.result) for found in page.context["findings"]] == [
        ("dkim", "pass"), ("spf", "pass"), ("dmarc", "pass"),
    ]  # fmt: skip


@pytest.mark.usefixtures("name_server")
def test_a_changed_mail_fails_dkim_and_dmarc(client: Client, writer: InboxWriter, zone_file: Path):
    private, public = generate_key()
    zone.add(zone_file, ZoneRecord("TXT", "koo1._domainkey.shop.example", f"v=DKIM1; k=rsa; p={public}"))
    zone.add(zone_file, ZoneRecord("CNAME", "_dmarc.shop.example", "_dmarc.koomessage.example"))
    signed = DkimSigner("shop.example", "koo1", private).sign(MAIL)

    page = client.get(f"/demo/inbox/{put(writer, signed.replace(b'<h1>Hello', b'<h1>Hullo'))}/")

    assert {found.method: found.result for found in page.context["findings"]}["dkim"] == "fail"
    assert {found.method: found.result for found in page.context["findings"]}["dmarc"] == "fail"


@pytest.mark.usefixtures("name_server")
def test_an_unsigned_mail_of_nobodys_domain_has_no_findings(client: Client, writer: InboxWriter):
    page = client.get(f"/demo/inbox/{put(writer, MAIL.replace(b'shop.example', b'other.example'))}/")

    assert {found.method: found.result for found in page.context["findings"]} == {
        "dkim": "none",
        "spf": "pass",
        "dmarc": "none",
    }


@pytest.mark.usefixtures("name_server")
@pytest.mark.parametrize(("tab", "shown"), [
    ("text", 'Hello &lt;b&gt;&amp;&lt;/b&gt; <a href="http://shop.example/u?x=1&amp;y=2"'),
    ("headers", "&lt;1@shop.example&gt;"),
    ("source", "boundary=m"),
    ("html", "<iframe"),
    ("nonsense", "<iframe"),
])  # fmt: skip
def test_each_view_of_a_mail_shows_it(client: Client, writer: InboxWriter, tab: str, shown: str):
    page = client.get(f"/demo/inbox/{put(writer)}/", {"tab": tab})

    assert page.status_code == 200
    assert shown in page.content.decode()


def test_the_html_runs_no_script_and_opens_links_outside(client: Client, writer: InboxWriter):
    body = client.get(f"/demo/inbox/{put(writer)}/body/")

    assert "sandbox allow-popups" in body["Content-Security-Policy"]
    assert "script-src" not in body["Content-Security-Policy"]
    assert "default-src 'none'" in body["Content-Security-Policy"]
    assert body["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_blank"' in body.content.decode()


def test_attachments_and_the_source_are_downloads(client: Client, writer: InboxWriter):
    pk = put(writer)
    page = client.get(f"/demo/inbox/{pk}/")
    (part,) = page.context["mail"].attachments

    attached = client.get(f"/demo/inbox/{pk}/parts/{part.position}/")

    assert attached.content == b"A note"
    assert attached["Content-Disposition"] == 'attachment; filename="note.txt"'
    assert client.get(f"/demo/inbox/{pk}/source/").content == MAIL
    assert client.get(f"/demo/inbox/{pk}/parts/0/").status_code == 404


def test_a_mail_that_is_not_there_is_404(client: Client, writer: InboxWriter):
    put(writer)

    assert client.get("/demo/inbox/5/").status_code == 404


@pytest.mark.parametrize("content", [
    b"", b"\r\n\r\n", b"no head at all", b"Subject: \xff\xfe\r\nFrom: <<<>>\r\n\r\n\xff",
    b"Content-Type: text/html; charset=nonsense\r\n\r\n<p>x",
])  # fmt: skip
@pytest.mark.usefixtures("name_server")
def test_a_broken_mail_is_shown_all_the_same(client: Client, writer: InboxWriter, content: bytes):
    pk = put(writer, content)

    assert client.get("/demo/inbox/").status_code == 200
    for tab in ("html", "text", "headers", "source"):
        assert client.get(f"/demo/inbox/{pk}/", {"tab": tab}).status_code == 200
