from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from email_service.delivery.compose import Parts, PersonalLinks, Recipient, compile_mail
from email_service.delivery.tracking import add_tracking

BASE = "https://tracking.example.com"


def render(
    html: str, *, values: tuple[str, ...] = ("https://shop.example/7",), token: str | None = "t0ken"
) -> str:
    mail = compile_mail(
        Parts("Hello", "Dear reader", html, "news@example.com"), parameters=("link",), tracking_url=BASE
    )
    links = PersonalLinks("https://mail.example/u/1", token)
    recipient = Recipient(7, "ann@example.org", datetime(2026, 1, 1, tzinfo=UTC), values, links)
    body = message_from_bytes(mail.render(recipient), policy=policy.default).get_body(("html",))
    assert body is not None
    return body.get_content()


def test_each_link_leads_past_the_platform_by_its_place_and_the_readers_token():
    shown = render('<a href="https://a.example/?x=1&amp;y=2">A</a><a class="b" href="http://b.example">B</a>')

    assert f'<a href="{BASE}/c/t0ken/1">A</a><a class="b" href="{BASE}/c/t0ken/2">B</a>' in shown
    assert "a.example" not in shown


def test_where_each_link_led_is_told_in_order_and_unescaped():
    _, targets = add_tracking('<a href="https://a.example/?x=1&amp;y=2">A</a><a href="{{link}}">B</a>', BASE)

    assert targets == ("https://a.example/?x=1&y=2", "{{link}}")


def test_a_link_that_is_a_parameter_is_followed_too():
    assert render('<a href="{{link}}">Order</a>').startswith(f'<a href="{BASE}/c/t0ken/1">Order</a>')


@pytest.mark.parametrize("address", ["mailto:help@example.com", "tel:+8610", "#top", "{{:unsubscribe:}}", ""])
def test_what_is_no_page_of_the_senders_stays_as_it_is(address: str):
    html, targets = add_tracking(f'<a href="{address}">x</a>', BASE)

    assert html.startswith(f'<a href="{address}">x</a>')
    assert targets == ()


def test_the_picture_stands_at_the_end_of_the_body_once():
    shown = render("<html><body><p>Hello</p></body></html>")

    assert shown.count("<img") == 1
    assert f'<p>Hello</p><img src="{BASE}/o/t0ken" width="1" height="1" alt=""></body>' in shown


def test_words_of_a_reader_that_look_like_a_link_are_not_rewritten():
    assert "/c/t0ken/" not in render("<p>{{link}}</p>", values=('<a href="https://x.example">',))


def test_a_tracked_mail_is_not_made_without_a_token():
    with pytest.raises(ValueError, match="token"):
        render("<p>Hello</p>", token=None)


def test_without_a_tracking_address_nothing_is_rewritten():
    parts = Parts("Hello", "Dear reader", '<a href="https://a.example">A</a>', "news@example.com")

    mail = compile_mail(parts)

    assert not mail.needs_token
    assert b"https://a.example" in mail.render(
        Recipient(7, "ann@example.org", datetime(2026, 1, 1, tzinfo=UTC))
    )
