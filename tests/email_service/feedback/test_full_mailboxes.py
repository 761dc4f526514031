"""A mailbox that is full again and again is given up in the end."""

from datetime import datetime, timedelta

import pytest

from email_service.feedback import bounces
from email_service.feedback.models import FullMailbox, Suppression
from email_service.send_details.models import Message
from iam.models import Tenant
from tests.email_service.feedback.test_bounces import listed
from tests.email_service.send_details.test_outcomes import outcome
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
NOON = datetime.fromisoformat("2026-08-16T12:00:00+00:00")


def end_at_full_mailbox(tenant: Tenant, at: datetime, *, code: int = 552) -> Message:
    """Let one more mail to the address end at a full mailbox."""
    message = make_message(make_task(tenant), recipient="gone@qq.com", accepted_at=at, lease_token=7)
    status, enhanced = ("failed", "5.2.2") if code == 552 else ("expired", "4.2.2")
    row = outcome(
        message, status, code=code, enhanced=enhanced, text="Mailbox full", verdict="failed", lease_token=7,
        finished_at=at,
    )  # fmt: skip
    bounces.record([row], now=at)
    return message


@pytest.mark.parametrize("code", [552, 452])
def test_a_full_mailbox_is_suppressed_after_five_mails_over_fifteen_days(acme: Tenant, code: int) -> None:
    for day in (0, 4, 8, 12):
        end_at_full_mailbox(acme, NOON + timedelta(days=day), code=code)
    end_at_full_mailbox(acme, NOON + timedelta(days=14, hours=23), code=code)
    assert listed() == []

    last = end_at_full_mailbox(acme, NOON + timedelta(days=15), code=code)

    assert listed() == [("gone@qq.com", "full")]
    assert Suppression.objects.get().message == last
    assert last.events.get(kind="suppressed").detail == {"reason": "full"}
    assert not FullMailbox.objects.exists()


def test_four_mails_are_too_few_however_long_it_takes(acme: Tenant) -> None:
    for day in (0, 20, 40, 60):
        end_at_full_mailbox(acme, NOON + timedelta(days=day))

    assert listed() == []


def test_a_delivery_meanwhile_begins_the_count_anew(acme: Tenant) -> None:
    for day in (0, 4, 8, 12):
        end_at_full_mailbox(acme, NOON + timedelta(days=day))
    make_message(
        make_task(acme), recipient="gone@qq.com", status="delivered", accepted_at=NOON + timedelta(days=14)
    )
    for day in (16, 20, 24, 28):
        end_at_full_mailbox(acme, NOON + timedelta(days=day))
        assert listed() == []

    end_at_full_mailbox(acme, NOON + timedelta(days=32))

    assert listed() == [("gone@qq.com", "full")]


def test_another_accounts_full_mailboxes_do_not_count(acme: Tenant, globex: Tenant) -> None:
    for day in (0, 4, 8, 12):
        end_at_full_mailbox(globex, NOON + timedelta(days=day))

    end_at_full_mailbox(acme, NOON + timedelta(days=16))

    assert listed() == []
    assert dict(FullMailbox.objects.values_list("tenant", "times")) == {globex.pk: 4, acme.pk: 1}
