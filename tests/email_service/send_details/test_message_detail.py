"""A message's page: its timeline, and its address on demand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from email_service.feedback import links, services
from email_service.send_details.models import Attempt, Event, Message
from iam.models import AuditEntry, Tenant, User
from tests.conftest import FRAGMENT
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
NOON = datetime(2024, 8, 16, 12, 0, tzinfo=UTC)


def make_attempt(message: Message, **overrides: Any) -> Attempt:
    fields: dict[str, Any] = {
        "number": 1,
        "started_at": NOON,
        "finished_at": NOON + timedelta(milliseconds=321),
        "verdict": "deferred",
        "host": "mx3.qq.com",
        "tls": "TLSv1.3",
        "code": 451,
        "enhanced": "4.3.0",
        "text": "come back <later>",
    }
    return Attempt.objects.create(message=message, **{**fields, **overrides})


def url_of(message: Message, page: str = "") -> str:
    return f"/email/details/{message.pk}/{page}"


def test_the_timeline_tells_every_attempt_in_order(as_owner: Client, acme: Tenant) -> None:
    message = make_message(make_task(acme), accepted_at=NOON, status="delivered", recipient="ada@qq.com")
    make_attempt(message)
    late = NOON + timedelta(minutes=9)
    make_attempt(message, number=2, verdict="delivered", code=250, enhanced="", text="OK", finished_at=late)
    Event.objects.create(message=message, tenant=acme, kind="ended", at=late, detail={"status": "delivered"})
    services.unsubscribe(links.unsubscribe_url(message.pk).split("/")[-2])

    response = as_owner.get(url_of(message))

    page = response.content.decode()
    kinds = [moment.icon for moment in response.context["timeline"]]
    assert kinds == ["inbox", "send", "send", "flag", "mail-x"]
    for text in ("mx3.qq.com", "TLSv1.3", "451 4.3.0 come back &lt;later&gt;", "321", "***@qq.com"):
        assert text in page
    assert "ada@qq.com" not in page


def test_a_waiting_message_says_when_it_is_tried_again(as_owner: Client, acme: Tenant) -> None:
    message = make_message(make_task(acme), next_attempt_at=NOON, in_doubt=True)
    make_attempt(message, code=None, text="connection lost", in_doubt=True)

    page = as_owner.get(url_of(message), **FRAGMENT).content.decode()

    assert "2024-08-16 20:00:00" in page
    assert "connection lost" in page
    assert "every 5s" in page


def test_showing_the_address_is_a_post_and_is_on_record(as_owner: Client, owner: User, acme: Tenant) -> None:
    message = make_message(make_task(acme), recipient="ada@qq.com")
    assert as_owner.get(url_of(message, "reveal/")).status_code == 405

    response = as_owner.post(url_of(message, "reveal/"), **FRAGMENT)

    assert "ada@qq.com" in response.content.decode()
    assert Event.objects.get().detail == {"login": owner.login}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.user) == (
        "kooMessage:emailSendDetail:reveal", str(message.pk), owner
    )  # fmt: skip
    assert owner.login in as_owner.get(url_of(message)).content.decode()


def test_without_scripts_the_address_stands_on_its_own_page(as_owner: Client, acme: Tenant) -> None:
    message = make_message(make_task(acme), recipient="ada@qq.com")

    page = as_owner.post(url_of(message, "reveal/")).content.decode()

    assert "ada@qq.com" in page
    assert "<html" in page


def test_a_reader_without_the_right_is_shown_no_address(as_newcomer: Client, acme: Tenant) -> None:
    message = make_message(make_task(acme))

    assert as_newcomer.get(url_of(message)).status_code == 403
    assert as_newcomer.post(url_of(message, "reveal/")).status_code == 403
    assert not Event.objects.exists()


def test_looking_is_not_revealing(as_reader: Client, acme: Tenant) -> None:
    message = make_message(make_task(acme), recipient="ada@qq.com")

    page = as_reader.get(url_of(message), **FRAGMENT)

    assert page.status_code == 200
    assert "ada@qq.com" not in page.content.decode()
    assert as_reader.post(url_of(message, "reveal/")).status_code == 403


def test_a_strangers_message_is_not_found(as_stranger: Client, acme: Tenant) -> None:
    message = make_message(make_task(acme))

    assert as_stranger.get(url_of(message)).status_code == 404
    assert as_stranger.post(url_of(message, "reveal/")).status_code == 404
    assert not Event.objects.exists()
