"""`manage.py check_domain`."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from email_service.domains import services
from email_service.domains.models import Domain
from tests.factories_domains import make_domain

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[dict[str, Any], int]:
    out, status = StringIO(), 0
    try:
        call_command("check_domain", *arguments, stdout=out)
    except SystemExit as end:
        status = int(str(end.code))
    return json.loads(out.getvalue()), status


def test_a_published_domain_is_verified_and_nothing_is_written(zone, acme):
    domain = make_domain(acme, name="shop.example")
    zone.publish(domain)

    report, status = run("https://Shop.example/")

    assert status == 0
    assert (report["domain"], report["account"], report["verified"]) == ("shop.example", "acme", True)
    assert [line["status"] for line in report["records"]] == ["ok"] * 5
    assert set(report["records"][0]) >= {"type", "name", "expected", "current", "status", "reason"}
    assert Domain.objects.get().status == "unverified"


def test_a_missing_record_ends_with_status_one(zone, acme):
    domain = make_domain(acme, name="shop.example")
    zone.publish(domain).drop("shop.example", "TXT")

    report, status = run("shop.example")

    assert (status, report["verified"]) == (1, False)
    assert report["records"][3]["reason"] == "not_found"


def test_a_name_no_account_has_is_looked_up_too(zone):
    zone.add("free.example", "TXT", "v=spf1 include:spf.koomessage.example ~all")
    zone.add("tracking.free.example", "CNAME", "x.track.koomessage.example")

    report, status = run("free.example")

    assert (status, report["verified"], report["account"]) == (1, False, None)
    assert "settings" in report["note"]
    statuses = {line["name"] + line["type"]: (line["status"], line["reason"]) for line in report["records"]}
    assert statuses["free.exampleTXT"] == ("ok", "")
    assert statuses["tracking.free.exampleCNAME"] == ("unknown", "no_account")


def test_of_two_accounts_one_must_be_named(zone, acme, globex):
    zone.publish(make_domain(acme, name="shop.example"))
    make_domain(globex, name="shop.example")

    with pytest.raises(CommandError, match="acme, globex"):
        run("shop.example")
    assert run("shop.example", "--account", "acme")[1] == 0
    assert run("shop.example", "--account", "globex")[1] == 1


def test_a_name_that_another_account_verified_is_not_verified(zone, acme, globex):
    make_domain(globex, name="shop.example", verified=True)
    zone.publish(make_domain(acme, name="shop.example"))

    report, status = run("shop.example", "--account", "acme")

    assert (status, report["verified"]) == (1, False)
    assert "globex" in report["note"]


def test_what_is_no_domain_or_no_account_is_said(zone, acme):
    with pytest.raises(CommandError):
        run("com")
    with pytest.raises(CommandError, match="nobody"):
        run("shop.example", "--account", "nobody")


def test_a_loss_and_a_rotation_are_printed_where_an_account_has_the_domain(zone, acme):
    domain = make_domain(acme, name="shop.example", verified=True, lost_since=timezone.now())
    services.start_rotation(domain, user=None)
    zone.publish(domain)

    report, status = run("shop.example")

    assert (status, report["verified"]) == (0, True)
    assert report["lost_since"] == domain.lost_since.isoformat()
    assert (report["rotation"]["state"], report["rotation"]["selector"]) == ("next", "koo2")
    assert [line["status"] for line in report["rotation"]["records"]] == ["ok"]
    assert domain.dkim_keys.get(state="signing").selector == "koo1"
    assert {"lost_since", "rotation"}.isdisjoint(run("free.example")[0])
