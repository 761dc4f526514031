"""The addresses an account has written to: each once, added with the messages, found by a part."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from email_service.send_details import addressees
from email_service.send_details.models import Addressee
from email_service.send_tasks import recipients, sweep
from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.email_service.send_tasks.sending import make_sending_tenant, sheet, submit
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only PostgreSQL plans like this"
)


def test_reading_recipients_remembers_their_addresses(db: Any) -> None:
    tenant = make_sending_tenant()
    rows = [("email",), ("Two@qq.com",), ("one@qq.com",), ("not an address",)]
    for _ in range(2):
        task = submit(tenant, source=Task.Source.FILE, file=sheet(*rows))
        recipients.read(task.pk)

    known = Addressee.objects.filter(tenant=tenant).values_list("address_key", flat=True)
    assert sorted(known) == ["one@qq.com", "two@qq.com"]
    assert addressees.holding(tenant.pk, "two@", 5) == ["two@qq.com"]


def test_addresses_of_a_large_file_are_known_after_it_is_read(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addressees, "FEW", 2)
    monkeypatch.setattr(addressees, "BATCH", 4)
    tenant = make_sending_tenant()
    rows = [("email",), *[(f"r{number}@qq.com",) for number in range(10)]]
    task = submit(tenant, source=Task.Source.FILE, file=sheet(*rows))
    recipients.read(task.pk)
    assert not Addressee.objects.exists() and sweep.sweep().addressees

    assert addressees.remember_some() and Addressee.objects.count() == 4, "a batch, and its place"
    while addressees.remember_some():
        pass

    known = Addressee.objects.filter(tenant=tenant).values_list("address_key", flat=True)
    assert sorted(known) == sorted(f"r{number}@qq.com" for number in range(10))
    assert not sweep.sweep().addressees and not addressees.remember_some()


def test_addresses_of_a_file_that_is_still_read_wait(acme: Tenant) -> None:
    task = make_task(acme, status=Task.Status.PREPARING, is_read=False)
    make_message(task, recipient="later@qq.com")
    addressees.remember_later(task.pk)
    addressees.remember_later(task.pk)

    assert not addressees.remember_some() and not sweep.sweep().addressees

    Task.objects.filter(pk=task.pk).update(is_read=True, status=Task.Status.SENDING)
    assert addressees.remember_some()
    assert addressees.holding(acme.pk, "later", 5) == ["later@qq.com"]


@on_postgresql
def test_parts_of_addresses_have_an_index(db: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'addressee_by_part'")
        assert "gin_trgm_ops" in cursor.fetchone()[0]


@on_postgresql
def test_no_plan_is_kept_for_searching_a_part(acme: Tenant) -> None:
    """The text stands in the statement: a plan for any text at all would not use the index."""
    with CaptureQueriesContext(connection) as seen:
        for _ in range(10):
            addressees.holding(acme.pk, "abcd", 5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        assert cursor.fetchone()[0] == 0
    assert "%abcd%" in seen.captured_queries[-1]["sql"]


def test_the_command_makes_known_what_is_not(acme: Tenant) -> None:
    task = make_task(acme)
    for address in ("one@qq.com", "two@qq.com"):
        make_message(task, recipient=address)
    addressees.remember(acme.pk, ["one@qq.com"])

    said = []
    for _ in range(2):
        out = io.StringIO()
        call_command("remember_addressees", stdout=out)
        said.append(out.getvalue().strip())

    assert said == ["1 addresses added.", "0 addresses added."]
    assert addressees.holding(acme.pk, "two", 5) == ["two@qq.com"]


def test_addresses_known_before_are_filled_in_by_migrating(transactional_db: Any) -> None:
    message = make_message()
    try:
        call_command("migrate", "email_service", "0021", verbosity=0)
        call_command("migrate", "email_service", verbosity=0)
        assert Addressee.objects.get().address_key == message.recipient_key
    finally:
        call_command("migrate", "email_service", verbosity=0)
