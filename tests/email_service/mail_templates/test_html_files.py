"""Uploaded HTML files in the charsets people have."""

import pytest

from email_service.mail_templates import html_files
from email_service.mail_templates.html_files import read_html
from koomessage.common.errors import RuleViolation

PAGE = "<html><body><p>您好，世界</p></body></html>"


@pytest.mark.parametrize(
    "content",
    [
        PAGE.encode(),
        b"\xef\xbb\xbf" + PAGE.encode(),
        PAGE.encode("utf-16"),
        b"\xfe\xff" + PAGE.encode("utf-16-be"),
        PAGE.encode("utf-16-le"),
        PAGE.encode("gb18030"),
        ("<meta charset=gb2312>" + PAGE).encode("gbk"),
        ("<meta charset='big5'>" + PAGE.replace("您好，世界", "您好，世界"))
        .encode("big5", "ignore")
        .replace(b"", b""),
        ('<meta http-equiv="Content-Type" content="text/html; charset=utf-16">' + PAGE).encode(),
        ("<meta charset=nonsense>" + PAGE).encode(),
        ("<meta charset=rot13>" + PAGE).encode(),
    ],
)
def test_every_usual_charset_is_read(content):
    assert "好，世界" in read_html("mail.HTML", content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mail.txt", b"<p>x</p>"),
        ("mail.html", b"<p>" + b"x" * 2**20),
        ("mail.html", b""),
        ("mail.html", b"just words"),
        ("mail.html", b"\x89PNG\r\n\x1a\n\x00\x00<p>"),
    ],
)
def test_what_is_no_html_file_is_refused_with_a_sentence(name, content):
    with pytest.raises(RuleViolation) as refusal:
        read_html(name, content)

    assert str(refusal.value.message)
    assert refusal.value.field == "html_file"


def test_the_limit_counts_what_is_left_after_decoding():
    text = "<p>" + "字" * (html_files.MAX_LENGTH - 3)

    for charset in ("utf-16", "utf-8", "gb18030"):
        assert len(read_html("a.html", text.encode(charset))) == html_files.MAX_LENGTH
        with pytest.raises(RuleViolation, match=r"1\.0"):
            read_html("a.html", (text + "x").encode(charset))
