"""Somebody unsubscribes, or is put on the suppression list, while mail to them is under way (F-49).

Measured at the receiving side: no final dot comes more than a second after the commit.
"""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connections
from django.utils import timezone

from email_service.feedback import links
from email_service.feedback import services as feedback
from email_service.send_details.models import Message
from email_service.send_tasks import dispatch, recipients
from iam.models import Tenant
from koomessage.common.errors import RuleViolation
from tests.email_service.delivery.peer import Action, Peer, Say, Session, Wait
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, sheet, submit
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 1.0


def listed(tenant: Tenant, address: str) -> None:
    feedback.add_suppression(tenant=tenant, user=make_user(tenant), address=address)


def unsubscribed(tenant: Tenant, address: str) -> None:
    message = Message.objects.get(tenant=tenant, recipient=address)
    assert feedback.unsubscribe(links.unsubscribe_url(message.pk).rstrip("/").rpartition("/")[2])


WAYS = pytest.mark.parametrize("stop", [listed, unsubscribed])


@WAYS
def test_who_is_suppressed_while_queued_gets_nothing(peer: Peer, stop: Callable[[Tenant, str], None]) -> None:
    tenant = make_sending_tenant(peer)
    submit(tenant, "a@qq.com", "b@qq.com")

    stop(tenant, "a@qq.com")
    deliver_all()

    assert peer.recipients == ["b@qq.com"]
    assert Message.objects.get(recipient="a@qq.com").status == "rejected"


@WAYS
def test_who_is_suppressed_between_retries_gets_nothing(
    peer: Peer, stop: Callable[[Tenant, str], None]
) -> None:
    peer.script = lambda session, stage, argument: Say("451 4.7.1 Greylisted") if stage == "rcpt" else None
    tenant = make_sending_tenant(peer)
    task = submit(tenant, "a@qq.com", "b@qq.com")
    deliver_all()
    assert peer.recipients == []

    stop(tenant, "a@qq.com")
    peer.script = lambda session, stage, argument: None
    dispatch.shut_down(grace=1.0)
    Message.objects.filter(status="pending").update(next_attempt_at=timezone.now())
    deliver_all()

    assert peer.recipients == ["b@qq.com"]
    task.refresh_from_db()
    assert (task.status, task.rejected_count, task.delivered_count) == ("finished", 1, 1)


@WAYS
def test_who_is_suppressed_during_the_hand_over_gets_nothing_a_second_later(
    peer: Peer, stop: Callable[[Tenant, str], None]
) -> None:
    dots: dict[str, float] = {}

    def script(session: Session, stage: str, argument: str) -> Action:
        if stage == "dot":
            dots[argument] = time.monotonic()
        return Wait(0.15) if stage == "data" else None

    peer.script = script
    tenant = make_sending_tenant(peer)
    to = [f"r{number:03}@qq.com" for number in range(150)]
    task = submit(tenant, source="file", file=sheet(("email",), *((address,) for address in to)))
    assert recipients.read(task.pk)
    committed: dict[str, float] = {}
    dice = random.Random(49)

    def somebody() -> None:
        """Suppress, one after the other, people whose mail is in the worker's hands."""
        try:
            while not dots:
                time.sleep(0.01)
            for address in dice.sample(to, 40):
                with suppress(RuleViolation):
                    stop(tenant, address)
                    committed[address] = time.monotonic()
                time.sleep(0.05)
        finally:
            connections.close_all()

    person = threading.Thread(target=somebody)
    person.start()
    deliver_all()
    person.join(30)
    deliver_all()

    late = {address: dots[address] - committed[address] for address in committed if address in dots}
    assert max(late.values(), default=0.0) <= WITHIN, late
    spared = set(committed) - set(dots)
    assert len(spared) >= 10, "most were suppressed before their turn came"
    statuses = dict(Message.objects.values_list("recipient", "status"))
    assert {statuses[address] for address in spared} == {"rejected"}
    assert sorted(dots) == peer.recipients == sorted(set(to) - spared)
