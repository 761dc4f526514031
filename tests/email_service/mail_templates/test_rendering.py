"""From a body to the parts of a mail and to a preview."""

from datetime import UTC, datetime

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


def test_a_preview_asks_no_other_host_for_pictures(settings):
    ours = f"{settings.PUBLIC_URL}/pictures/x.png"
    body = (
        f'<img src="https://other.example/a.png" width="40" alt="Logo"><img src="{ours}">'
        '<td background="https://other.example/b.png"></td>'
        '<p style="background:#eee url(https://other.example/c.png)">x</p>'
        "<!--[if mso]><v:fill src='https://other.example/d.png'/><![endif]-->"
    )
    draft = tidy_body(body_type="rich", body=f"<table><tr>{body}</tr></table>")

    page = preview(draft)

    assert "other.example" in parts_of(draft)[1]
    assert "other.example" not in page
    assert page.count(ours) == 1
    assert 'alt="Logo"' in page
    assert has_remote_pictures(draft.body)
    assert not has_remote_pictures(f'<img src="{ours}"><p>url(x)</p>')
