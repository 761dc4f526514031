"""The admin of billing: the catalogue is edited, money and units move by services alone."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from billing import queries, services, services_money, services_payments
from billing.models import BankAccount, MoneyEntry, Order, Package, PackageSpec
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from tests.factories_billing import give_money, make_order, make_package

MONEY = "/admin/billing/moneyentry/add/"


def test_an_operator_credits_a_balance_with_a_reason(as_operator: Client, acme: Tenant):
    answer = as_operator.post(MONEY, {"tenant": acme.pk, "amount": "100.50", "reason": "contract 7"})

    assert answer.status_code == 302
    assert queries.balance_of(acme) == (Decimal("100.50"), "CNY")
    entry = MoneyEntry.objects.get()
    assert (entry.kind, entry.reason, entry.login) == ("credit", "contract 7", "operator")


def test_a_correction_goes_no_lower_than_nothing(as_operator: Client, acme: Tenant):
    give_money(acme, "10.00")

    answer = as_operator.post(MONEY, {"tenant": acme.pk, "amount": "-10.01", "reason": "typed twice"})

    assert answer.status_code == 200
    assert "typed twice" in answer.content.decode()
    assert "errorlist" in answer.content.decode()
    assert queries.balance_of(acme)[0] == Decimal("10.00")
    as_operator.post(MONEY, {"tenant": acme.pk, "amount": "-10.00", "reason": "typed twice"})
    assert queries.balance_of(acme)[0] == 0


@pytest.mark.parametrize("amount", ["0", "NaN", "Infinity", "1.001", "1e18", "x", ""])
def test_an_odd_amount_is_refused(as_operator: Client, acme: Tenant, amount: str):
    assert as_operator.post(MONEY, {"tenant": acme.pk, "amount": amount, "reason": "x"}).status_code == 200
    assert not MoneyEntry.objects.exists()


@pytest.mark.parametrize("amount", ["0", "NaN", "Infinity", "1.001", "1e18"])
def test_the_service_refuses_odd_amounts_itself(acme: Tenant, amount: str):
    with pytest.raises(RuleViolation):
        services_money.change_balance(tenant=acme, amount=Decimal(amount), reason="x", user=None)


def test_an_operator_grants_a_package(as_operator: Client, acme: Tenant):
    ends = timezone.localtime(timezone.now() + timedelta(days=3))
    form = {
        "tenant": acme.pk, "name": "试用包", "total": "500", "reason": "trial",
        "expires_at_0": ends.strftime("%Y-%m-%d"), "expires_at_1": "12:00:00",
    }  # fmt: skip

    past = as_operator.post("/admin/billing/package/add/", {**form, "expires_at_0": "2020-01-01"})
    done = as_operator.post("/admin/billing/package/add/", form)

    assert past.status_code == 200 and "试用包" in past.content.decode()
    assert done.status_code == 302
    assert services.remaining_units(acme) == 500
    assert Package.objects.get().entries.get().why == "trial"


def test_nothing_in_the_ledgers_is_changed_or_deleted_in_the_admin(as_operator: Client, acme: Tenant):
    give_money(acme, "5.00")
    package = make_package(acme)
    rows = {
        "moneyentry": MoneyEntry.objects.get().pk,
        "unitentry": package.entries.get().pk,
        "package": package.pk,
        "order": make_order(acme).pk,
    }

    for model, pk in rows.items():
        assert as_operator.get(f"/admin/billing/{model}/").status_code == 200
        assert as_operator.post(f"/admin/billing/{model}/{pk}/change/", {"amount": "9"}).status_code == 403
        assert as_operator.post(f"/admin/billing/{model}/{pk}/delete/", {"post": "yes"}).status_code == 403
    assert as_operator.get("/admin/billing/account/").status_code == 200


def test_an_operator_confirms_a_bank_transfer(as_operator: Client, acme: Tenant, owner: User):
    BankAccount.objects.create(holder="x", bank="y", number="1")
    order = make_order(acme, user=owner)
    services_payments.pay_order(order=order, method="bank_transfer", user=owner)
    form = {"action": "confirm_transfer", "_selected_action": order.pk}

    asked = as_operator.post("/admin/billing/order/", form)
    assert order.number in asked.content.decode()
    assert Order.objects.get().status == Order.Status.TRANSFER
    receipt = {**form, "amount": "12.50", "transaction_number": "statement 9"}
    as_operator.post("/admin/billing/order/", receipt)

    assert Order.objects.get().status == Order.Status.PAID
    assert MoneyEntry.objects.get(kind="transfer").reason == "statement 9"
    again = as_operator.post("/admin/billing/order/", receipt)
    assert "errorlist" in again.content.decode()
    assert MoneyEntry.objects.count() == 2


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1e18", "1.001", ""])
def test_an_odd_receipt_is_refused(as_operator: Client, acme: Tenant, owner: User, amount: str):
    BankAccount.objects.create(holder="x", bank="y", number="1")
    order = make_order(acme, user=owner)
    services_payments.pay_order(order=order, method="bank_transfer", user=owner)
    form = {"action": "confirm_transfer", "_selected_action": order.pk, "transaction_number": "9"}

    answer = as_operator.post("/admin/billing/order/", {**form, "amount": amount})

    assert "errorlist" in answer.content.decode()
    assert not MoneyEntry.objects.exists()


def test_the_catalogue_goes_out_and_comes_in(as_operator: Client):
    out = as_operator.post("/admin/billing/packagespec/export/", {"format": "0", **_all_fields()})
    assert b"name,name_en,units,price" in out.content.replace(b"\r", b"")

    sheet = (
        "name,name_en,units,price,currency,valid_days,most_per_account,is_offered,position\n"
        "新包,New,70,7.70,CNY,30,2,1,5\n"
    )
    shown = as_operator.post(
        "/admin/billing/packagespec/import/",
        {"format": "0", "import_file": SimpleUploadedFile("x.csv", sheet.encode()), **_all_fields()},
    )
    confirm = shown.context["confirm_form"].initial
    as_operator.post("/admin/billing/packagespec/process_import/", {**confirm, **_all_fields()})

    spec = PackageSpec.objects.get(name="新包")
    assert (spec.price, spec.most_per_account) == (Decimal("7.70"), 2)


def test_an_odd_line_of_a_catalogue_is_refused(as_operator: Client):
    sheet = "name,units,price\n坏包,0,-1\n"

    shown = as_operator.post(
        "/admin/billing/packagespec/import/",
        {"format": "0", "import_file": BytesIO(sheet.encode()), **_all_fields()},
    )

    assert "confirm_form" not in shown.context or shown.context.get("confirm_form") is None
    assert not PackageSpec.objects.filter(name="坏包").exists()


def _all_fields() -> dict[str, str]:
    names = (
        "name",
        "name_en",
        "units",
        "price",
        "currency",
        "valid_days",
        "most_per_account",
        "is_offered",
        "position",
    )
    return {"resource": "0", **{f"packagespecresource_{name}": "on" for name in names}}


def test_people_of_accounts_never_reach_it(as_owner: Client):
    assert as_owner.get(MONEY).status_code == 302
    assert "/admin/login/" in as_owner.get(MONEY)["Location"]
