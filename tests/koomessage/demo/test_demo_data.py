"""`manage.py demo_data` makes everything once, with the product's own code, so that all figures add up."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from billing.services import remaining_units
from email_service.domains.models import Domain
from email_service.reports.models import Report
from email_service.send_details.models import DirtyHour, Message
from email_service.send_tasks.models import Task
from email_service.setup.models import Transport
from iam.models import Tenant, User
from koomessage.demo import history
from koomessage.demo.management.commands import demo_data
from koomessage.demo.people import LOGINS, NEWCOMER, READER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo", "name_server")]


@pytest.fixture
def made(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    settings.RELAY_PORT = 2626
    monkeypatch.setattr(history, "TASKS", 3)
    call_command(demo_data.Command(), verbosity=0)
    return Tenant.objects.get(account="acme")


def test_everybody_can_sign_in(made: Tenant):
    for person in LOGINS:
        assert User.objects.get(login=person.login).check_password(person.password)
    assert not User.objects.get(login=READER.login).has_perm("email_service.add_domain")
    assert User.objects.get(login=READER.login).has_perm("email_service.list_domain")


def test_one_account_is_ready_to_send_and_one_to_be_activated(made: Tenant):
    newco = User.objects.get(login=NEWCOMER.login).tenant

    assert made.is_activated
    assert Domain.objects.get(tenant=made).is_verified
    assert remaining_units(made) > 0
    assert newco is not None
    assert (newco.is_activated, newco.is_verified, newco.email_service.transport.port) == (False, True, 2626)


def test_the_history_adds_up(made: Tenant):
    tasks = Task.objects.for_tenant(made)

    assert {task.status for task in tasks} == {Task.Status.FINISHED}
    assert sum(task.accepted_count for task in tasks) == Message.objects.for_tenant(made).count() > 100
    assert sum(report.succeeded for report in Report.objects.filter(tenant=made)) == sum(
        task.delivered_count for task in tasks
    )
    assert not DirtyHour.objects.exists()
    call_command("check_integrity", verbosity=0)


def test_a_second_run_changes_nothing_but_the_port(made: Tenant, settings: Any):
    before = (User.objects.count(), Message.objects.count(), remaining_units(made), Domain.objects.count())
    User.objects.get(login=READER.login).policies.clear()
    settings.RELAY_PORT = 2727

    call_command(demo_data.Command(), verbosity=0)

    assert (
        User.objects.count(),
        Message.objects.count(),
        remaining_units(made),
        Domain.objects.count(),
    ) == before
    assert Transport.objects.get().port == 2727


def test_the_pages_show_it(made: Tenant):
    client = Client()
    client.force_login(User.objects.get(login="acme/admin"), backend="iam.backends.StaffBackend")

    assert "acme.example" in client.get("/email/domains/").content.decode()
    assert "/demo/inbox/" in client.get("/email/domains/").content.decode()
    assert client.get("/email/reports/").status_code == 200
