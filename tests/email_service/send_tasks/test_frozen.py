"""What is edited or deleted under a scheduled or running task changes nothing of its mail (F-44)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from email_service.addresses import services as addresses
from email_service.addresses.models import Address
from email_service.domains import services as domains
from email_service.mail_templates import services as templates
from email_service.send_details.models import Message
from email_service.send_tasks import dispatch, sweep
from email_service.send_tasks.models import Task
from koomessage.common.errors import RuleViolation
from tests.email_service.delivery.peer import KeepAndCut, Peer, Say
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, sender_of, submit
from tests.factories import make_user
from tests.factories_sending import make_version

pytestmark = pytest.mark.django_db(transaction=True)
# What names the recipient, and the signature over that.
PERSONAL = re.compile(rb"^(To|Message-ID|DKIM-Signature|List-Unsubscribe|Date):.*?\r\n(?![ \t])", re.M | re.S)
TO = [f"r{number}@qq.com" for number in range(4)]


def bodies(peer: Peer) -> set[bytes]:
    """The mails without what is each one's own; the number of a message is in the boundary, too."""
    found = set()
    for mail in peer.mails:
        boundary = re.search(rb'boundary="([^"]+)"', mail)
        found.add(PERSONAL.sub(b"", mail).replace(boundary[1] if boundary else b"\0", b"="))
    return found


def edit(template: Any, user: Any, body: str) -> None:
    templates.save_template(
        tenant=template.tenant,
        user=user,
        title="Another title",
        body_type="plain",
        body=body,
        can_unsubscribe=False,
        template=template,
    )


@pytest.mark.parametrize("change", ["edited", "deleted"])
def test_a_template_changed_while_its_task_is_sent_changes_no_body(peer: Peer, change: str) -> None:
    tenant = make_sending_tenant(peer)
    user, version = make_user(tenant), make_version(tenant, body="The first body.")
    # Half of them are accepted before the change, the others are tried again after it.
    peer.script = lambda session, stage, argument: (
        Say("451 4.3.0 Later") if stage == "rcpt" and ("r2@" in argument or "r3@" in argument) else None
    )
    task = submit(tenant, *TO, version=version)
    deliver_all()
    assert peer.recipients == TO[:2]

    if change == "edited":
        edit(version.template, user, "The second body.")
    else:
        templates.delete_template(version.template, user=user)
    peer.script = lambda session, stage, argument: None
    dispatch.shut_down(grace=1.0)  # another worker compiles the mail anew
    Message.objects.filter(status="pending").update(next_attempt_at=timezone.now())
    deliver_all()

    task.refresh_from_db()
    assert (task.status, task.delivered_count) == ("finished", 4)
    assert peer.recipients == TO
    assert len(bodies(peer)) == 1
    assert all(b"The first body." in mail and b"second" not in mail for mail in peer.mails)


def test_a_lost_reply_is_followed_by_the_same_bytes_though_the_template_was_edited(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    user, version = make_user(tenant), make_version(tenant, body="The first body.")
    peer.script = lambda session, stage, argument: KeepAndCut() if stage == "dot" else None
    submit(tenant, "a@qq.com", version=version)
    deliver_all()

    edit(version.template, user, "The second body.")
    peer.script = lambda session, stage, argument: None
    dispatch.shut_down(grace=1.0)
    Message.objects.update(next_attempt_at=timezone.now())
    deliver_all()

    assert len(peer.mails) == 2 and peer.mails[0] == peer.mails[1]


@pytest.mark.parametrize("status", ["preparing", "scheduled", "sending", "paused", "quota_paused"])
def test_the_address_and_the_domain_of_an_unfinished_task_cannot_be_deleted(peer: Peer, status: str) -> None:
    tenant = make_sending_tenant(peer)
    user, address = make_user(tenant), sender_of(tenant)
    task = submit(tenant, "a@qq.com")
    Task.objects.update(status=status)

    with pytest.raises(RuleViolation, match="still uses it"):
        addresses.delete_address(address, user=user)
    with pytest.raises(RuleViolation):
        domains.delete_domain(address.domain, user=user)

    Task.objects.update(status="sending")
    deliver_all()
    task.refresh_from_db()
    assert (task.status, peer.recipients) == ("finished", ["a@qq.com"])
    addresses.delete_address(address, user=user)


def test_a_scheduled_task_sends_as_it_was_submitted(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    user, version = make_user(tenant), make_version(tenant, body="The first body.")
    address = sender_of(tenant)
    Address.objects.filter(pk=address.pk).update(alias="First name")
    due = timezone.now() + timedelta(hours=1)
    submit(tenant, *TO, version=version, address=Address.objects.get(), send_type="scheduled", due_at=due)

    Address.objects.filter(pk=address.pk).update(alias="Second name")
    edit(version.template, user, "The second body.")
    templates.delete_template(version.template, user=user)
    Task.objects.update(due_at=timezone.now())
    Message.objects.update(next_attempt_at=timezone.now())
    assert sweep.start_due() == 1
    deliver_all()

    assert peer.recipients == TO
    assert len(bodies(peer)) == 1
    assert all(b"The first body." in mail and b"First name" in mail for mail in peer.mails)
