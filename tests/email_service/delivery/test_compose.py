import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from email_service.delivery.compose import (
    UNSUBSCRIBE_SLOT,
    Attachment,
    Parts,
    PersonalLinks,
    Recipient,
    compile_mail,
    message_id_header,
)
from email_service.delivery.dkim import _relaxed_body

ACCEPTED = datetime(2024, 8, 16, 9, 0, 0, tzinfo=UTC)
CONTROLS = "".join(map(chr, [*range(32), 127]))
HEADER_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def make_parts(**overrides) -> Parts:
    fields = {
        "subject": "Hello",
        "text": "Dear {{name}}",
        "html": "<p>Dear {{name}}</p>",
        "from_address": "news@example.com",
        "from_alias": "Example",
    }
    return Parts(**{**fields, **overrides})


def make_recipient(**overrides) -> Recipient:
    fields = {"message_id": 42, "address": "ann@example.org", "accepted_at": ACCEPTED, "values": ("Ann",)}
    return Recipient(**{**fields, **overrides})


def render(parts=None, parameters=("name",), **recipient) -> bytes:
    return compile_mail(parts or make_parts(), parameters=parameters).render(make_recipient(**recipient))


def parse(mail: bytes) -> EmailMessage:
    return message_from_bytes(mail, policy=policy.default)


def read_part(mail: bytes, kind: str) -> str:
    body = parse(mail).get_body((kind,))
    return body.get_payload(decode=True).decode("utf-8")


def assert_well_formed(mail: bytes) -> None:
    assert mail.endswith(b"\r\n")
    lines = mail.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 998
    assert not any(
        word for word in re.findall(rb"=\?[^ ]*\?=", mail.partition(b"\r\n\r\n")[0]) if len(word) > 75
    )
    body = mail.partition(b"\r\n\r\n")[2]
    assert body.isascii()
    # What the part says of itself: canonical for DKIM as it stands, and nothing to dot-stuff.
    content = body.rstrip(b"\r\n")
    assert _relaxed_body(body) == (content + b"\r\n" if content else b"")
    assert b"  " not in body and b"\t" not in body and b" \r\n" not in body
    assert b"\r\n." not in mail


def test_every_field_stands_once_and_says_what_was_given():
    mail = render()

    message = parse(mail)
    assert_well_formed(mail)
    assert message.keys() == ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    assert message["From"].addresses[0].display_name == "Example"
    assert message["From"].addresses[0].addr_spec == "news@example.com"
    assert message["To"].addresses[0].addr_spec == "ann@example.org"
    assert message["Date"].datetime == ACCEPTED
    assert message["Message-ID"] == message_id_header(42, ACCEPTED, "news@example.com")
    assert message.get_content_type() == "multipart/alternative"
    assert read_part(mail, "plain") == "Dear Ann"
    assert read_part(mail, "html") == "<p>Dear Ann</p>"


def test_a_mail_without_html_is_one_plain_part():
    mail = render(make_parts(html=None))

    assert parse(mail).get_content_type() == "text/plain"
    assert read_part(mail, "plain") == "Dear Ann\r\n"


def test_every_attempt_has_the_same_bytes_and_every_message_its_own():
    assert render() == render()
    assert render() != render(message_id=43)


def test_values_are_escaped_in_html_and_plain_elsewhere():
    mail = render(make_parts(subject="For {{name}}"), values=("<b>\"A&B'",))

    assert parse(mail)["Subject"] == "For <b>\"A&B'"
    assert read_part(mail, "plain") == "Dear <b>\"A&B'"
    assert read_part(mail, "html") == "<p>Dear &lt;b&gt;&quot;A&amp;B&#x27;</p>"


def test_a_value_that_looks_like_a_slot_stays_as_it_is():
    parts = make_parts(text="{{a}} {{ b }}", html="<i>{{a}}</i>{{b}}", subject="{{a}}")

    mail = render(parts, ("a", "b"), values=("{{b}}", UNSUBSCRIBE_SLOT))

    assert read_part(mail, "plain") == "{{b}} {{:unsubscribe:}}"
    assert parse(mail)["Subject"] == "{{b}}"


def test_a_slot_that_is_no_parameter_is_refused_by_name():
    with pytest.raises(ValueError, match=r"\{\{nobody\}\}"):
        compile_mail(make_parts(subject="{{nobody}}"), parameters=("name",))


def test_too_few_values_are_refused():
    with pytest.raises(ValueError, match="1 values"):
        render(values=())


@pytest.mark.parametrize(
    "address", ["a@b@", "no-at", "a@b.c\r\nBcc: x@y.z", "a@b.c>", "a@b,c@d.e", "a@", "@b.c"]
)
def test_an_address_that_could_leave_its_field_is_refused(address):
    with pytest.raises(ValueError, match="not"):
        render(address=address)


def test_domains_are_written_as_a_labels():
    mail = render(make_parts(from_address="news@例子.广告"), address="ann@例子.广告")

    head = mail.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert b"To: <ann@xn--fsqu00a.xn--4rr70v>" in head
    assert b"<news@xn--fsqu00a.xn--4rr70v>" in head


def test_unsubscribing_is_a_link_in_both_bodies_and_the_pair_of_fields():
    parts = make_parts(
        text="Leave: " + UNSUBSCRIBE_SLOT, html=f'<a href="{UNSUBSCRIBE_SLOT}">Leave</a>', subject="Hi"
    )
    url = "https://example.com/u/abc?x=1&y=2"

    mail = render(parts, (), values=(), links=PersonalLinks(unsubscribe_url=url))

    message = parse(mail)
    assert message.get_all("List-Unsubscribe") == [f"<{url}>"]
    assert message.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert read_part(mail, "plain") == "Leave: " + url
    assert read_part(mail, "html") == '<a href="https://example.com/u/abc?x=1&amp;y=2">Leave</a>'
    assert compile_mail(parts).needs_unsubscribe


def test_one_click_is_promised_by_https_alone():
    parts = make_parts(text="Hi", html=None, subject="Hi")

    message = parse(render(parts, (), values=(), links=PersonalLinks("http://localhost:8000/u/abc")))

    assert message.get_all("List-Unsubscribe") == ["<http://localhost:8000/u/abc>"]
    assert message.get_all("List-Unsubscribe-Post") is None


def test_a_mail_with_the_slot_is_not_rendered_without_an_address_for_it():
    with pytest.raises(ValueError, match="unsubscribe"):
        render(make_parts(text=UNSUBSCRIBE_SLOT))


@pytest.mark.parametrize(
    "url", ["https://x/\r\nBcc: a@b", "https://x/> <mailto:a@b", "ftp://x/", "https://x/é"]
)
def test_an_unsubscribe_address_that_could_leave_its_field_is_refused(url):
    with pytest.raises(ValueError, match="URL"):
        render(links=PersonalLinks(unsubscribe_url=url))


def test_attachments_come_back_whole_under_harmless_names():
    files = [
        Attachment("../../报价 2024.xlsx", "application/vnd.ms-excel", bytes(range(256)) * 50),
        Attachment("a\r\nContent-Type: text/html", "text/plain\r\nX: y", b"x"),
        Attachment("报价 2024.xlsx", "multipart/mixed", b""),
        Attachment("x" * 300 + ".pdf", "application/pdf", b"pdf"),
        Attachment("txt\u202exe.exe", "application/pdf", b"pdf"),
        Attachment("con.txt", "text/plain", b"dev"),
    ]

    mail = render(make_parts(attachments=tuple(files)))

    message = parse(mail)
    attached = list(message.iter_attachments())
    assert_well_formed(mail)
    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_filename() for part in attached] == [
        "报价 2024.xlsx",
        "html",
        "报价 2024 (2).xlsx",
        "x" * 116 + ".pdf",
        "txt_xe.exe",
        "_con.txt",
    ]
    assert [part.get_payload(decode=True) for part in attached] == [file.content for file in files]
    assert attached[1].get_content_type() == attached[2].get_content_type() == "application/octet-stream"
    assert read_part(mail, "html") == "<p>Dear Ann</p>"


texts = st.text(max_size=300) | st.text(st.sampled_from("ab. =\t\r\n{}From你好😀" + CONTROLS), max_size=300)


def expected_in_header(text: str) -> str:
    return HEADER_CONTROLS.sub(" ", text).strip()


def expected_in_body(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text))


@settings(max_examples=80, deadline=None)
@given(subject=texts, alias=texts, value=texts, text=texts)
def test_any_text_comes_back_and_no_field_is_added(subject, alias, value, text):
    subject, text = (t.replace("{{", "{") for t in (subject, text))
    parts = make_parts(
        subject=subject + "|{{name}}|",
        from_alias=alias,
        text="^" + text + "{{name}}$",
        html=f"<p>{{{{name}}}}{text}",
    )

    mail = render(parts, values=(value,))

    message = parse(mail)
    assert_well_formed(mail)
    assert message.keys() == ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    assert message["Subject"] == expected_in_header(f"{subject}|{value}|")
    assert message["From"].addresses[0].addr_spec == "news@example.com"
    # The parser of Python 3.11 itself puts blanks between encoded words of a name; this one does not.
    written = re.search(rb"^From: (.*?)(?:\r\n )?<news@", mail, re.DOTALL | re.MULTILINE)[1]
    name = str(make_header(decode_header(written.decode())))
    if written.startswith(b'"'):
        name = name.strip().removeprefix('"').removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
    assert name == expected_in_header(alias)
    assert read_part(mail, "plain") == "^" + expected_in_body(text) + expected_in_body(value) + "$"


@settings(max_examples=80, deadline=None)
@given(pieces=st.lists(texts, min_size=1, max_size=6), values=st.lists(texts, min_size=5, max_size=5))
def test_both_encodings_give_back_what_was_joined(pieces, values):
    pieces = [piece.replace("{{", "{").replace("}}", "}") for piece in pieces]
    template = "".join(f"{piece}.{{{{p{place}}}}}" for place, piece in enumerate(pieces[:5]))
    joined = "".join(
        expected_in_body(piece + ".") + expected_in_body(value)
        for piece, value in zip(pieces[:5], values, strict=False)
    )

    for lead in ("ascii " * 100, "汉字" * 300):
        parts = make_parts(text=lead + template, html=None)
        mail = render(parts, tuple(f"p{n}" for n in range(5)), values=tuple(values))
        assert_well_formed(mail)
        ending = "\r\n" if parse(mail)["Content-Transfer-Encoding"] == "quoted-printable" else ""
        assert read_part(mail, "plain") == lead + joined + ending


def test_a_lone_surrogate_does_not_stop_the_mail():
    mail = render(make_parts(subject="\ud800"), values=("\udfff",))

    assert_well_formed(mail)
    assert read_part(mail, "plain") == "Dear ?"
