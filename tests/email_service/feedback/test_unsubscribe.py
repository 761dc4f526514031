"""Unsubscribing: never by a GET, at once by one POST, for that account alone."""

from typing import Any

import pytest
from django.test import Client

from email_service.delivery import tokens
from email_service.feedback import links
from email_service.feedback.models import Suppression
from email_service.feedback.queries import suppressed_keys
from email_service.send_details.models import Event, Message
from iam.models import Tenant
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def message(acme: Tenant) -> Message:
    return make_message(make_task(acme, sender_alias="Acme News"), recipient="Ada@qq.com", status="delivered")


def path_of(message: Message) -> str:
    return links.unsubscribe_url(message.pk).removeprefix("http://localhost:8000")


def mail_client() -> Client:
    """No session, no cookies, and CSRF enforced as in production."""
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(message: Message, method: str) -> None:
    response = getattr(mail_client(), method)(path_of(message))

    assert response.status_code == 200
    assert not Suppression.objects.exists()
    assert not Event.objects.exists()


def test_the_page_names_the_sender_and_asks(message: Message) -> None:
    page = mail_client().get(path_of(message)).content.decode()

    assert "Acme News" in page
    assert "Ada@qq.com" in page
    assert f'<form method="post" action="{path_of(message)}">' in page


@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("body", [ONE_CLICK, "", "something=else"])
def test_one_post_unsubscribes_without_cookies_or_redirect(
    message: Message, content_type: str, body: str
) -> None:
    if content_type.startswith("multipart"):
        body = f'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n{body}\r\n--x--\r\n'

    response = mail_client().post(path_of(message), body, content_type=content_type)

    assert response.status_code == 200
    row = Suppression.objects.get()
    assert (row.tenant, row.address, row.reason) == (message.tenant, "Ada@qq.com", "unsubscribe")
    assert Event.objects.get().kind == "unsubscribed"


def test_twice_or_without_the_last_slash_is_the_same(message: Message) -> None:
    for path in (path_of(message), path_of(message).rstrip("/"), path_of(message)):
        assert mail_client().post(path, ONE_CLICK, content_type=FORM).status_code == 200

    assert Suppression.objects.count() == Event.objects.count() == 1
    assert b'<form method="post" action="/u/' not in mail_client().get(path_of(message)).content


def test_what_waits_for_the_address_is_rejected_in_that_account_only(
    message: Message, globex: Tenant
) -> None:
    waiting = make_message(tenant=message.tenant, recipient="ada@qq.com")
    other = make_message(tenant=globex, recipient="ada@qq.com")

    mail_client().post(path_of(message), ONE_CLICK, content_type=FORM)

    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.status, waiting.end_reason, other.status) == ("rejected", "suppressed", "pending")
    assert suppressed_keys(message.tenant_id, ["ada@qq.com", "bob@qq.com"]) == {"ada@qq.com"}
    assert suppressed_keys(globex.pk, ["ada@qq.com"]) == set()


def test_every_changed_letter_of_a_token_is_refused(message: Message) -> None:
    token = path_of(message).split("/")[2]
    client = mail_client()

    for place, letter in enumerate(token):
        forged = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert client.post(f"/u/{forged}/").status_code == 404
        assert client.get(f"/u/{forged}/").status_code == 404
    for forged in (token[:-1], token + "A", "x", "é"):
        assert client.post(f"/u/{forged}/").status_code == 404
    assert not Suppression.objects.exists()


def test_a_token_for_another_purpose_or_of_no_message_is_refused(message: Message) -> None:
    keys = links.link_keys()

    for token in (tokens.sign("open", message.pk, keys=keys), tokens.sign("unsubscribe", 10**9, keys=keys)):
        assert mail_client().post(f"/u/{token}/").status_code == 404


def test_links_outlive_a_change_of_the_secret_key(message: Message, settings: Any) -> None:
    path = path_of(message)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret for tests, long enough 0123456789"
    assert mail_client().get(path).status_code == 200

    settings.SECRET_KEY_FALLBACKS = []
    assert mail_client().get(path).status_code == 404
