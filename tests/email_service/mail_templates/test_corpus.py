"""Mails in the manners found in the wild keep their words, links and pictures, and say what they lost."""

import json
import re
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from email_service.mail_templates.html_files import MAX_LENGTH, read_html
from email_service.mail_templates.rendering import parts_of, tidy_body, tidy_html
from koomessage.common.html import sanitize
from tests.email_service.mail_templates.corpus import FOLDER, MAILS, Mail
from tests.email_service.mail_templates.judge import content_of

KEYS = ["parameters", "problems", "removed", "html", "text"]
every_mail = pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.name)


def check(path: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    with translation.override("en"):
        call_command("check_template", str(path))
    report = json.loads(capsys.readouterr().out)
    assert list(report) == KEYS
    return report


def test_each_file_of_the_corpus_is_judged():
    names = {path.stem for path in FOLDER.iterdir()}

    assert names == {mail.name for mail in MAILS} | {"handlebars_refused"}


@every_mail
def test_words_links_and_pictures_stay(mail: Mail):
    before = content_of(mail.source)
    after = content_of(tidy_body(body_type="rich", body=mail.source).body)

    order = sorted if mail.moves_words else list
    assert order(after.words) == order(before.words)
    assert after.links == [link for link in before.links if link[0] not in mail.refused]
    assert after.pictures == [
        ("" if picture[0] in mail.refused else picture[0], *picture[1:]) for picture in before.pictures
    ]


@every_mail
def test_the_file_is_read_and_the_report_says_all_and_no_more(mail: Mail, capsys):
    report = check(mail.file, capsys)

    assert report["problems"] == []
    assert tuple(report["parameters"]) == mail.parameters
    assert set(report["removed"]) == mail.removed
    assert len(report["removed"]) == len(mail.removed)
    assert report["html"] == tidy_html(mail.source)[0]


@every_mail
def test_cleaning_again_changes_nothing(mail: Mail):
    once, _removed = tidy_html(mail.source)

    again = sanitize(once)

    assert again.html == once
    assert again.removed == ()


@every_mail
def test_the_text_part_reads_in_order_and_knows_every_link(mail: Mail):
    draft = tidy_body(body_type="rich", body=mail.source)
    text, _html = parts_of(draft)

    place = -1
    for phrase in mail.phrases:
        place = text.find(phrase, place + 1)
        assert place >= 0, f"{phrase!r} is missing, or comes too early, in:\n{text}"
    for address, _words in content_of(draft.body).links:
        assert address.startswith(("#", "tel:")) or address.removeprefix("mailto:") in text
    assert not re.search(r"@media|font-(?:size|family)|!important|mso-|<!--|\[if ", text)
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("name", "preheader"),
    [
        ("mjml_newsletter", "Pears are ripe"),
        ("foundation_welcome", "Three steps"),
        ("hybrid_sale", "Lamps at half price"),
        ("chimp_campaign", "*|MC_PREVIEW_TEXT|*"),
    ],
)
def test_a_hidden_preheader_is_not_read_twice(name, preheader):
    source = next(mail.source for mail in MAILS if mail.name == name)

    text, html = parts_of(tidy_body(body_type="rich", body=source))

    assert html is not None
    assert html.count(preheader) == 1
    assert text.count(preheader) <= 1


@pytest.mark.parametrize(("name", "words"), [("edm_gbk", "鮮榨果汁"), ("report_utf16", "社交 😀 éñ")])
def test_a_charset_that_nothing_names_is_found_by_trial(name, words):
    source = re.sub(r"<meta[^>]*>", "", next(mail.source for mail in MAILS if mail.name == name))
    charset = {"edm_gbk": "gbk", "report_utf16": "utf-16-le"}[name]

    assert words in read_html("mail.htm", source.encode(charset))


def test_marks_of_a_template_language_are_refused_each_with_its_text(capsys):
    report = check(FOLDER / "handlebars_refused.html", capsys)

    assert report["parameters"] == ["this", "good"]
    named = " ".join(report["problems"])
    for text in (
        "{{user.first_name}}", "{{#each items}}", "{{/each}}", "{{{raw}}}", "{{ total | currency }}",
        "{{ settings.SECRET_KEY }}",
    ):  # fmt: skip
        assert text in named


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.html", b"", "no HTML"),
        ("blank.html", b" \n\t ", "no HTML"),
        ("picture.html", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01<p>", "no HTML"),
        ("noise.html", bytes(range(256)) * 64, "no HTML"),
        ("archive.html", b"PK\x03\x04\x14\x00\x00\x00\x08\x00<a>", "no HTML"),
        ("large.html", b"<p>" + b"x" * (MAX_LENGTH - 2), "larger than"),
        ("vast.html", b"<p>" * (50 * 2**20 // 3), "larger than"),
        ("long.html", b"<p>" + b"word " * 60_000, "larger than"),
        ("letter.doc", b"<p>x</p>", ".html"),
        ("script.html", b"<script>alert(1)</script>", "nothing of it could be shown"),
        ("deep.html", b"<div>" * 5_000 + b"x", "nested too deeply"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_file_gets_a_sentence(tmp_path, capsys, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)

    report = check(path, capsys)

    assert len(report["problems"]) == 1
    assert says in report["problems"][0]


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "none.html", tmp_path):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("check_template", str(path))


def blown_up(name: str) -> str:
    """The mail of that name with its body repeated up to 256 KB, as a long newsletter would be."""
    source = next(mail.source for mail in MAILS if mail.name == name)
    head, tag, rest = re.split(r"(<body[^>]*>)", source)
    body, end = rest.split("</body>")
    return head + tag + body * (240 * 1024 // len(body.encode())) + "</body>" + end


ROW = '<tr><td style="padding:1px 2px;font:12px/1.4 Arial"><b>a</b> <a href="https://x.example/1">b</a></td></tr>'


@pytest.mark.parametrize(
    "text",
    [
        blown_up("mjml_newsletter"),
        blown_up("foundation_welcome"),
        blown_up("receipt_bom"),
        f"<table>{ROW * (250 * 1024 // len(ROW))}</table>",
        "<i>x</i>" * (255 * 1024 // 8),
        f"<style>{'.a b{color:red}' * 500}</style>{'<p class=a>x<b>y</b>' * 5_000}",
    ],
    ids=["columns", "rules in the head", "one column", "dense table", "dense words", "many rules"],
)
def test_256_kb_are_cleaned_in_seconds(text):
    started = time.process_time()

    sanitize(text)

    # Two seconds where nothing else runs.
    assert time.process_time() - started < 8
