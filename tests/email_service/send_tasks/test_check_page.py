"""What the page of a check shows: rows, reasons, cost, any row's mail."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from billing.services import grant_package
from email_service.models import CheckedBlock, RecipientCheck, Task
from email_service.send_tasks import examination, jobs
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.email_service.send_tasks.sending import sheet
from tests.email_service.send_tasks.test_check import checked, post, submit

pytestmark = pytest.mark.django_db


def test_the_page_says_what_was_found_and_what_it_costs(acme: Tenant, as_owner: Client, version: Any) -> None:
    for name, units, days in (("Later", 5, 20), ("Sooner", 1, 10)):
        until = timezone.now() + timedelta(days=days)
        grant_package(tenant=acme, name=name, units=units, valid_until=until, granted_by=None, reason="test")
    check = checked(as_owner, acme, version)

    answer = as_owner.get(check.get_absolute_url())

    report = answer.context["report"]
    assert [(share.name, share.units) for share in report.cost.packages] == [("Sooner", 1), ("Later", 1)]
    assert report.cost.pay_as_you_go == 0 and not report.cost.refusal
    page = answer.content.decode()
    assert "Hello Li" in page and "Sooner" in page and 'name="leaves_out"' in page


def test_what_packages_lack_goes_to_pay_as_you_go_or_is_refused(
    acme: Tenant, as_owner: Client, version: Any
) -> None:
    check = checked(as_owner, acme, version)
    assert as_owner.get(check.get_absolute_url()).context["report"].cost.pay_as_you_go == 2
    acme.pay_as_you_go = False
    acme.save(update_fields=["pay_as_you_go"])

    page = as_owner.get(check.get_absolute_url())
    refused = submit(as_owner, check, leaves_out="on")

    assert page.context["report"].cost.refusal
    assert refused.status_code == 422
    assert not Task.objects.exists()


def test_progress_ends_its_polling_with_the_reading(acme: Tenant, as_owner: Client, version: Any) -> None:
    post(as_owner, acme, version)
    check = RecipientCheck.objects.get()
    address = reverse("email:check_progress", args=[check.pk])

    moving = as_owner.get(address, **FRAGMENT)
    jobs.check_recipients(check.pk)
    ended = as_owner.get(address, **FRAGMENT)
    submit(as_owner, check, leaves_out="on")
    gone = as_owner.get(address, **FRAGMENT)

    assert (moving.status_code, ended.status_code) == (200, 286)
    assert "every 1s" in moving.content.decode() and "every 1s" not in ended.content.decode()
    assert gone["HX-Redirect"] == Task.objects.get().get_absolute_url()


def test_any_row_is_shown_as_its_mail_and_a_bad_one_with_its_reason(
    acme: Tenant, as_owner: Client, version: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "BLOCK", 2)
    check = checked(as_owner, acme, version)
    assert CheckedBlock.objects.count() == 3

    def shown(number: str) -> Any:
        return as_owner.get(check.get_absolute_url(), {"row": number}, **FRAGMENT).context["row"]

    first = shown("")
    assert (first.number, first.previous, first.following, first.subject) == (2, None, 3, "Hello Li")
    assert shown("3").reason and shown("3").address == "nobody"
    assert (shown("4").previous, shown("4").following) == (3, 5)
    assert (shown("7").previous, shown("7").following) == (6, None)
    assert shown("1").number == 2 and shown("99999").number == 7 and shown("x").number == 2
    frame = as_owner.get(reverse("email:check_frame", args=[check.pk]), {"row": "7"})
    assert "Dear Qian &lt;b&gt;, good day." in frame.content.decode()
    assert "sandbox" in frame["Content-Security-Policy"]


def test_the_rows_that_become_no_mail_come_back_as_they_were_with_a_reason(
    acme: Tenant, as_owner: Client, version: Any
) -> None:
    check = checked(as_owner, acme, version)

    answer = as_owner.get(reverse("email:check_rows", args=[check.pk]), headers={"Accept-Language": "en"})

    rows = list(load_workbook(io.BytesIO(answer.getvalue())).active.iter_rows())
    assert [cell.value for cell in rows[0]][:3] == ["email", "name", "note"]
    assert [[cell.value or "" for cell in row][:3] for row in rows[1:]] == [
        ["nobody", "Wang", '=HYPERLINK("x")'], ["A@QQ.com", "Li", ""], ["gone@qq.com", "Zhao", ""],
        ["b@qq.com", "", ""],
    ]  # fmt: skip
    assert rows[1][2].data_type == "s"
    assert all(row[3].value for row in rows)


def test_strangers_find_nothing_and_readers_may_not(
    acme: Tenant, as_owner: Client, as_stranger: Client, as_reader: Client, version: Any
) -> None:
    check = checked(as_owner, acme, version)

    for name in ("check_detail", "check_progress", "check_rows", "check_frame", "check_submit"):
        address = reverse(f"email:{name}", args=[check.pk])
        ask = "post" if name == "check_submit" else "get"
        assert getattr(as_stranger, ask)(address).status_code == 404, name
        assert getattr(as_reader, ask)(address).status_code == 403, name
    form = as_stranger.get(reverse("email:task_add"), {"check": check.pk})
    assert "recipients.xlsx" not in form.content.decode()


def test_the_page_costs_the_same_however_long_the_file_is(
    acme: Tenant, as_owner: Client, version: Any, django_assert_max_num_queries: Any
) -> None:
    rows = [("email", "name"), *((f"r{number}@qq.com", "N") for number in range(300))]
    check = checked(as_owner, acme, version, file=sheet(*rows))

    with django_assert_max_num_queries(24):
        as_owner.get(check.get_absolute_url(), {"row": "250"})
