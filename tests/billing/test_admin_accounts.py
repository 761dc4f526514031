"""An account in the admin: all on one page, freezing, papers beside the ledger, revenue by month."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing import revenue, services_accounts, services_payments
from billing.models import Account, MoneyAttachment, MoneyEntry
from email_service.setup.models import EmailService
from email_service.setup.queries import is_halted
from iam.models import AuditEntry, Tenant, User
from koomessage.common.errors import RuleViolation
from tests.factories import make_staff, make_tenant
from tests.factories_billing import give_money, make_order, make_package
from tests.factories_iam import png

MONEY = "/admin/billing/moneyentry/"


@pytest.fixture
def account(acme: Tenant, owner: User) -> Account:
    give_money(acme, "100.00")
    order = make_order(acme, user=owner)
    services_payments.pay_order(order=order, method="balance", user=owner)
    make_package(acme, name="赠送包")
    return Account.objects.get(tenant=acme)


@pytest.fixture
def account_page(account: Account) -> str:
    return f"/admin/billing/account/{account.pk}/"


def test_everything_of_an_account_is_on_one_page(as_operator: Client, account_page: str, acme: Tenant):
    shown = as_operator.get(f"{account_page}change/").content.decode()

    for words in ("87.50", "赠送包", "CS", "/freeze/"):
        assert words in shown
    assert f"/admin/billing/moneyentry/add/?tenant={acme.pk}" in shown


def test_a_frozen_account_stops_and_its_users_read_why(
    as_operator: Client, as_owner: Client, account_page: str, acme: Tenant
):
    as_operator.post(f"{account_page}freeze/", {"reason": "被投诉过多，请联系客服。"})

    assert is_halted(acme.pk)
    assert "被投诉过多" in as_owner.get("/email/tasks/").content.decode()
    assert "被投诉过多" in as_operator.get(f"{account_page}change/").content.decode()
    as_operator.post(f"{account_page}thaw/")
    assert not is_halted(acme.pk)
    actions = list(AuditEntry.objects.filter(tenant=acme).values_list("action", flat=True))
    assert "billing:account:freeze" in actions and "billing:account:thaw" in actions


def test_a_freeze_needs_a_reason_a_right_and_something_to_stop(
    as_operator: Client, account_page: str, acme: Tenant, operator: User
):
    as_operator.post(f"{account_page}freeze/", {"reason": " "})
    clerk = make_staff(login="clerk", is_superuser=False)
    clerk.user_permissions.add(Permission.objects.get(codename="view_account"))
    as_clerk = Client()
    as_clerk.force_login(clerk, backend="iam.backends.StaffBackend")

    assert as_clerk.post(f"{account_page}freeze/", {"reason": "x"}).status_code == 403
    assert "/freeze/" not in as_clerk.get(f"{account_page}change/").content.decode()
    assert as_operator.get(f"{account_page}freeze/").status_code == 403
    assert not EmailService.objects.filter(paused=True).exists()
    with pytest.raises(RuleViolation):
        services_accounts.freeze_account(tenant=make_tenant(), user=operator, reason="x")
    with pytest.raises(RuleViolation):
        services_accounts.thaw_account(tenant=acme, user=operator)


def credit(client: Client, tenant: Tenant, **file: Any):
    return client.post(f"{MONEY}add/", {"tenant": tenant.pk, "amount": "5.00", "reason": "contract", **file})


def test_a_paper_is_kept_beside_the_line_and_handed_out_to_staff_alone(
    as_operator: Client, as_owner: Client, acme: Tenant
):
    assert credit(as_operator, acme, attachment=png()).status_code == 302

    paper = MoneyAttachment.objects.get()
    address = f"{MONEY}{paper.entry_id}/attachment/"
    answer = as_operator.get(address)
    assert answer["Content-Type"] == "image/png" and answer["Content-Disposition"].startswith("attachment")
    assert answer.content[:4] == b"\x89PNG"
    assert address in as_operator.get(MONEY).content.decode()
    assert as_owner.get(address).status_code == 302
    clerk = make_staff(login="clerk", is_superuser=False)
    as_clerk = Client()
    as_clerk.force_login(clerk, backend="iam.backends.StaffBackend")
    assert as_clerk.get(address).status_code == 403
    assert as_operator.get(f"{MONEY}999/attachment/").status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.png", b"<script>alert(1)</script>"),
        ("x.pdf", b"%PDF-1.4"),
        ("big.pdf", b"%PDF-" + b"0" * 5 * 2**20 + b"%%EOF"),
    ],
    ids=["script", "half", "large"],
)
def test_a_paper_that_is_none_is_refused_and_nothing_is_credited(
    as_operator: Client, acme: Tenant, name: str, content: bytes
):
    answer = credit(as_operator, acme, attachment=SimpleUploadedFile(name, content))

    assert "errorlist" in answer.content.decode()
    assert not MoneyEntry.objects.exists()


def test_revenue_is_summed_by_month(as_operator: Client, account: Account):
    shanghai = ZoneInfo("Asia/Shanghai")
    MoneyEntry.objects.create(
        tenant=account.tenant, kind="credit", amount=Decimal("0.30"), currency="USD",
        reason="x", at=datetime(2026, 1, 31, 23, 59, tzinfo=shanghai),
    )  # fmt: skip

    months = revenue.by_month()
    sheet = as_operator.get(f"{MONEY}by-month/?format=csv").content.decode()

    assert (months[0].money["credit"], months[0].money["payment"]) == (Decimal("100.00"), Decimal("-12.50"))
    assert months[0].units == {"purchase": 1000, "grant": 100}
    assert (months[1].currency, months[1].money) == ("USD", {"credit": Decimal("0.30")})
    assert sheet.count("\r\n") == 3
    assert "2026-01,USD,0.30,0.00" in sheet and ",-12.50,0.00,1000,100,0" in sheet
    assert as_operator.get(f"{MONEY}by-month/").status_code == 200
