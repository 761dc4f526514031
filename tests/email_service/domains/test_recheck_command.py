"""`manage.py recheck_domains`."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from email_service.domains.models import Domain
from tests.factories_domains import make_domain

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("recheck_domains", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def domains(acme, zone) -> None:
    """One that is due, one that is not and has lost a record, one that was never verified."""
    zone.publish(
        make_domain(acme, name="a.example", verified=True, checked_at=timezone.now() - timedelta(hours=25))
    )
    zone.publish(make_domain(acme, name="b.example", verified=True)).drop("b.example", "TXT")
    make_domain(acme, name="c.example")


def test_without_names_those_due_are_looked_up(domains):
    assert run() == ["a.example (acme): verified"]
    assert run() == []


def test_all_are_looked_up_and_a_loss_is_written_down_and_told(domains):
    lines = run("--all")

    lost = Domain.objects.get(name="b.example")
    assert lines[0] == "a.example (acme): verified"
    assert (
        lines[1]
        == f"b.example (acme): verified, records lost since {lost.lost_since.isoformat()}; spf not_found"
    )
    assert len(mail.outbox) == 1


def test_named_domains_are_printed_as_json(domains):
    report = json.loads("\n".join(run("B.example", "c.example", "--json")))

    assert [(line["domain"], line["status"]) for line in report] == [
        ("b.example", "verified"),
        ("c.example", "unverified"),
    ]
    assert report[0]["lost_since"] is not None
    assert report[0]["records"]["spf"] == {"status": "failed", "reason": "not_found"}


@pytest.mark.parametrize("arguments", [["nobody.example"], ["com"], ["a.example", "--all"]])
def test_what_cannot_be_meant_is_refused(domains, arguments):
    with pytest.raises(CommandError):
        run(*arguments)
