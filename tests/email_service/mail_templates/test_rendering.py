"""From a body to the parts of a mail and to a preview."""

import html
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from email_service.delivery.compose import UNSUBSCRIBE_SLOT, Parts, PersonalLinks, Recipient, compile_mail
from email_service.mail_templates.remote_pictures import has_remote_pictures
from email_service.mail_templates.rendering import link_parameters, parts_of, preview, tidy_body
from koomessage.common.errors import RuleViolation

BODY = '<h1>Hello {{name}}</h1><table><tr><td>A</td><td>B</td></tr></table><p>See <a href="{{link}}">our page</a>.</p>'


def test_rich_text_becomes_a_whole_document_and_a_text_with_the_links():
    draft = tidy_body(body_type="rich", body=BODY)

    text, html = parts_of(draft)

    assert draft.parameters == ("name", "link")
    assert html.startswith("<!doctype html>")
    assert 'name="viewport"' in html
    assert "Hello {{name}}" in text
    assert "our page ({{link}})" in text
    assert UNSUBSCRIBE_SLOT not in html + text


def test_plain_text_has_no_html_part():
    assert parts_of(tidy_body(body_type="plain", body="Hello {{name}}\r\n<b>")) == (
        "Hello {{name}}\n<b>",
        None,
    )


@pytest.mark.parametrize("body_type", ["rich", "plain"])
def test_unsubscribing_adds_one_link_to_each_part(body_type):
    text, html = parts_of(tidy_body(body_type=body_type, body="Hello {{name}}", can_unsubscribe=True))

    assert text.count(UNSUBSCRIBE_SLOT) == 1
    if html is not None:
        assert html.count(f'href="{UNSUBSCRIBE_SLOT}"') == 1


@pytest.mark.parametrize(
    "body", [BODY, BODY * 20, "<p>&#123;{name}}</p>", "<p>a &amp;#123;b &lt;x&gt; {{n}}</p>"]
)
def test_delivery_can_compile_what_was_accepted(body):
    draft = tidy_body(body_type="rich", body=body, can_unsubscribe=True)
    text, html = parts_of(draft)

    mail = compile_mail(
        Parts(subject="Hi", text=text, html=html, from_address="a@example.com"), parameters=draft.parameters
    )
    content = mail.render(
        Recipient(
            1,
            "b@example.com",
            datetime(2026, 1, 1, tzinfo=UTC),
            tuple("x" for _name in draft.parameters),
            PersonalLinks("https://example.com/u"),
        )
    )

    assert mail.needs_unsubscribe
    assert b"List-Unsubscribe" in content


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "<p></p>",
        "<script>x</script>",
        "{<b></b>{name}<i></i>} hello",
        "{{a.b}}",
        "<div>" * 5000 + "x",
    ],
)
def test_bodies_against_the_rules_are_refused_for_the_body(body):
    with pytest.raises(RuleViolation) as refusal:
        tidy_body(body_type="rich", body=body)

    assert refusal.value.field == "body"


def test_a_body_of_256_kb_is_taken_and_one_byte_more_refused():
    assert tidy_body(body_type="plain", body="x" * 256 * 1024)
    with pytest.raises(RuleViolation):
        tidy_body(body_type="plain", body="x" * (256 * 1024 + 1))
    with pytest.raises(RuleViolation):
        tidy_body(body_type="plain", body="字" * (256 * 1024 // 3 + 1))
    with pytest.raises(RuleViolation):
        tidy_body(body_type="rich", body="<p>" + "x" * (256 * 1024) + "</p>")


def test_a_preview_shows_sample_values_and_escapes_those_that_are_given():
    draft = tidy_body(body_type="rich", body=BODY + "<p>{{zzz}}</p>")

    page = preview(draft, {"name": "<script>alert(1)</script>"})

    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "[zzz]" in page


@pytest.mark.parametrize("value", ["javascript:alert(1)", "data:text/html,x", " https"])
def test_a_preview_never_links_anywhere_but_to_the_web(value):
    page = preview(tidy_body(body_type="rich", body=BODY), {"link": value})

    assert f'href="{value}' not in page


def test_the_parameters_that_must_be_addresses_are_known():
    body = tidy_body(
        body_type="rich", body=BODY + '<a href="https://x.example/{{id}}">y</a><img src="{{pic}}">'
    ).body

    assert link_parameters(body) == ("link", "pic")


def test_a_plain_preview_shows_markup_as_text():
    assert "&lt;b&gt;" in preview(tidy_body(body_type="plain", body="<b>{{name}}"), {})


def test_media_queries_go_to_the_head_of_the_mail_and_into_no_text():
    body = "<style>@media (max-width:600px){.w{width:100%!important}}</style><p class='w'>Hello {{name}}</p>"
    draft = tidy_body(body_type="rich", body=body)

    text, html = parts_of(draft)

    head, _, rest = html.partition("</head>")
    assert "@media (max-width:600px) {\n  .w { width: 100% !important }\n}" in head
    assert "@media" not in rest
    assert text == "Hello {{name}}"
    assert draft.parameters == ("name",)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<a href="https://x.example/"><img src="https://x.example/a.png" alt=\'A "b" > c\'></a>',
         'A "b" > c (https://x.example/)'),
        ('<a href="https://x.example/"><img src="https://x.example/a.png"></a>', "https://x.example/"),
        ('x<map name="m"><area href="https://x.example/?a=1&amp;b=2" alt="Shop"></map>',
         "x\nShop (https://x.example/?a=1&b=2)"),
        ('<a href="mailto:a@x.example">a@x.example</a> <a href="tel:+4912">+49 12</a> <a href="#top">Top</a>',
         "a@x.example +49 12 Top"),
        ('<a href="mailto:a@x.example">Write</a>', "Write (mailto:a@x.example)"),
        ('<a href="https://x.example/"><table><tr><td title="a>b">Go</td></tr></table></a>', "Go (https://x.example/)"),
        ("<table><tr><td><table><tr><td>1</td><td>2</td></tr></table></td><td><p>a</p><p>b</p></td></tr></table>",
         "1 2\n\na\n\nb"),
        ('<table><tr><td style="display:none">hidden<table><tr><td>too</td></tr></table></td>'
         "<td>seen</td></tr></table>", "seen"),
    ],
)  # fmt: skip
def test_the_text_part_reads_as_a_person_would(body, text):
    assert parts_of(tidy_body(body_type="rich", body=body))[0] == text


@pytest.mark.parametrize("mark", ["{% debug %}", "{# note #}", "{% load x %}", "${name}", "<%= name %>"])
def test_marks_of_template_languages_are_only_text(mark):
    draft = tidy_body(body_type="plain", body=f"{mark} {{{{ name }}}}")

    page = preview(draft, {"name": "{{b}} {% debug %} {{name}}"})

    assert html.escape(mark) in page
    assert "{{b}} {% debug %} {{name}}" in page


def test_a_value_that_looks_like_a_parameter_is_sent_as_it_is():
    draft = tidy_body(body_type="rich", body="<p>{{ a }} and {{b}}</p>")
    text, rich = parts_of(draft)
    mail = compile_mail(
        Parts(subject="{{a}}", text=text, html=rich, from_address="a@example.com"),
        parameters=draft.parameters,
    )

    content = mail.render(
        Recipient(
            1,
            "b@example.com",
            datetime(2026, 1, 1, tzinfo=UTC),
            ("{{b}}", "{{{{a}}}}"),
            PersonalLinks("https://x.example/u"),
        )
    )

    parsed = message_from_bytes(content, policy=policy.default)
    assert parsed["subject"] == "{{b}}"
    for kind in ("plain", "html"):
        assert "{{b}} and {{{{a}}}}" in parsed.get_body((kind,)).get_content()


@pytest.mark.parametrize("body_type", ["rich", "plain"])
def test_what_nobody_can_print_goes(body_type):
    draft = tidy_body(body_type=body_type, body="a\x00b\u2028c\x1bd\x7fe\ud800f\r\ng {{n}}")

    assert draft.body == "abcdef\ng {{n}}"


def test_only_mails_without_tables_get_a_rule_about_pictures():
    """Tables size their cells by the pictures in them."""
    plain, with_table = (parts_of(tidy_body(body_type="rich", body=body))[1] for body in ("<p>x</p>", BODY))

    assert "img{max-width" in plain
    assert "<style>" not in with_table
    assert "overflow-wrap:break-word" in with_table


def test_a_preview_asks_no_other_host_for_pictures(settings):
    ours = f"{settings.PUBLIC_URL}/pictures/x.png"
    body = (
        f'<img src="https://other.example/a.png" width="40" alt="Logo"><img src="{ours}">'
        '<td background="https://other.example/b.png"></td>'
        '<p style="background:#eee url(https://other.example/c.png)">x</p>'
        '<picture><source srcset="https://other.example/e.png"><img srcset="https://other.example/f.png 2x"></picture>'
        "<!--[if mso]><v:fill src='https://other.example/d.png'/><![endif]-->"
    )
    draft = tidy_body(body_type="rich", body=f"<table><tr>{body}</tr></table>")

    page = preview(draft)

    assert "other.example" in parts_of(draft)[1]
    assert "other.example" not in page
    assert page.count(ours) == 1
    assert 'alt="Logo"' in page
    assert has_remote_pictures(draft.body)
    assert has_remote_pictures('<source srcset="https://other.example/e.png">')
    assert not has_remote_pictures(f'<img src="{ours}"><p>url(x)</p>')
