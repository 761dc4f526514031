"""发送明细 by the groups that reports count, by domain and sender, and to the end of a second."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from email_service.send_details.models import Message
from iam.models import Tenant
from tests.factories_sending import make_message, make_sender, make_task

pytestmark = pytest.mark.django_db
LIST = "/email/details/"
NOON = datetime(2026, 8, 16, 4, tzinfo=UTC)  # in Shanghai


def found(client: Client, **query: Any) -> set[int]:
    return {line.message.pk for line in client.get(LIST, query).context["lines"]}


@pytest.mark.parametrize(
    ("group", "states"),
    [
        ("sent", {"pending", "held", "delivered", "failed", "rejected", "expired"}),
        ("failed_all", {"failed", "expired"}),
        ("pending_all", {"pending", "held"}),
        ("failed", {"failed"}),
        ("", {"pending", "held", "delivered", "failed", "rejected", "expired", "cancelled"}),
    ],
)
def test_states_that_reports_count_together_are_found_together(
    as_owner: Client, acme: Tenant, group: str, states: set[str]
) -> None:
    task = make_task(acme)
    of = {status: make_message(task, status=status).pk for status in Message.Status.values}

    assert found(as_owner, status=group) == {of[status] for status in states}


def test_the_last_second_of_a_range_belongs_to_it_wholly(as_owner: Client, acme: Tenant) -> None:
    task = make_task(acme)
    inside = make_message(task, accepted_at=NOON.replace(second=59, microsecond=999_999))
    make_message(task, accepted_at=NOON.replace(minute=1))

    assert found(as_owner, created_from="2026-08-16T12:00:00", created_to="2026-08-16T12:00:59") == {
        inside.pk
    }


def test_a_domain_and_a_whole_sender_mean_themselves_and_no_longer_ones(
    as_owner: Client, acme: Tenant
) -> None:
    home = make_sender(acme)
    name = home.domain.name
    meant = make_message(make_task(acme, address=home, sender=f"news@{name}"))
    make_message(make_task(acme, address=home, sender=f"oldnews@sub.{name}"))
    longer = make_message(make_task(acme, address=home, sender=f"oldnews@{name}"))

    assert found(as_owner, domain=name.upper()) == {meant.pk, longer.pk}
    assert found(as_owner, sender=f"News@{name}") == {meant.pk}
    assert len(found(as_owner, sender="news@")) == 3, "a part finds all that hold it"
