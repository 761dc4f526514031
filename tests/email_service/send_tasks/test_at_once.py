"""Forms that arrive at once: one task each (F-42), and no more units than there are (F-45)."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from billing import integrity
from billing.models import Account
from email_service.send_details.models import Message
from email_service.send_tasks.models import Task
from iam.models import Tenant
from koomessage.common.errors import RuleViolation
from tests.email_service.delivery.peer import Peer
from tests.email_service.send_tasks.sending import deliver_all, make_sending_tenant, sender_of, submit
from tests.factories import make_user
from tests.factories_billing import make_package
from tests.factories_sending import make_version

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20
TO = [f"r{number}@qq.com" for number in range(10)]


def at_once(work: Callable[[int], Any], times: int = MANY) -> list[Any]:
    """Do the work in so many threads that begin together; return what each answered."""
    together = threading.Barrier(times)

    def one(number: int) -> Any:
        try:
            with override("en"):
                together.wait(20)
                return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def filled_in(tenant: Tenant) -> dict[str, Any]:
    return {
        "name": "Spring",
        "subject": "Hello",
        "template": make_version(tenant).template.pk,
        "address": sender_of(tenant).pk,
        "send_type": "now",
        "source": "manual",
        "recipients": "\n".join(TO),
        "submission_key": str(uuid.uuid4()),
    }


@pytest.mark.parametrize("times", [2, 8])
def test_the_same_form_posted_at_once_is_one_task_and_every_answer_leads_to_it(
    peer: Peer, times: int
) -> None:
    tenant = make_sending_tenant(peer)
    make_package(tenant, units=1_000)
    owner, form = make_user(tenant, is_main=True), filled_in(tenant)
    clients = [Client() for _ in range(times)]
    for client in clients:
        client.force_login(owner, backend="iam.backends.StaffBackend")

    answers = at_once(lambda number: clients[number].post(reverse("email:task_add"), form), times)

    task = Task.objects.get()
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {
        (302, task.get_absolute_url())
    }
    deliver_all()
    assert peer.recipients == sorted(TO), "nobody got two"
    # The browser's way back, and once more: the same task, though it has ended.
    again = clients[0].post(reverse("email:task_add"), form)
    assert again["Location"] == task.get_absolute_url() and Task.objects.count() == 1
    assert list(integrity.problems()) == []


def submit_or_refuse(tenant: Tenant, version: Any, number: int) -> str:
    try:
        submit(tenant, *TO, version=version, name=f"Task {number}")
    except RuleViolation as refusal:
        return str(refusal.message)
    return "taken"


def test_of_twenty_tasks_at_once_one_gets_the_units_there_are_for_one(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    Tenant.objects.filter(pk=tenant.pk).update(pay_as_you_go=False)
    package, version = make_package(tenant, units=len(TO)), make_version(tenant)
    sender_of(tenant)
    tenant.refresh_from_db()

    answers = Counter(at_once(lambda number: submit_or_refuse(tenant, version, number)))

    package.refresh_from_db()
    assert answers.pop("taken") == 1
    assert sum(answers.values()) == MANY - 1 and len(answers) == 1, "all others were refused for one reason"
    assert (package.reserved, Task.objects.count(), Message.objects.count()) == (10, 1, 10)
    deliver_all()
    package.refresh_from_db()
    assert (package.consumed, package.reserved, len(peer.received)) == (10, 0, 10)
    assert list(integrity.problems()) == []


def test_of_twenty_tasks_at_once_what_the_package_lacks_is_paid_as_you_go(peer: Peer) -> None:
    tenant = make_sending_tenant(peer)
    package, version = make_package(tenant, units=len(TO)), make_version(tenant)
    sender_of(tenant)

    answers = at_once(lambda number: submit_or_refuse(tenant, version, number))

    package.refresh_from_db()
    assert answers == ["taken"] * MANY
    assert (package.reserved, Account.objects.get(tenant=tenant).payg_reserved) == (10, 10 * (MANY - 1))
    deliver_all()
    package.refresh_from_db()
    assert (package.consumed, len(peer.received)) == (10, 10 * MANY)
    assert list(integrity.problems()) == []
