"""Packages, specifications and orders for tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import time_machine
from django.utils import timezone

from billing import services, services_money, services_orders
from billing.models import Order, Package, PackageSpec, PriceTier
from iam.models import Tenant, User
from tests.factories import make_tenant, make_user

_numbers = count(1)


def make_spec(**overrides: Any) -> PackageSpec:
    fields: dict[str, Any] = {
        "name": f"套餐包 {next(_numbers)}",
        "units": 1000,
        "price": Decimal("12.50"),
        "valid_days": 365,
    }
    return PackageSpec.objects.create(**{**fields, **overrides})


def make_package(
    tenant: Tenant | None = None, *, units: int = 100, days: float = 30, **overrides: Any
) -> Package:
    """A granted package that ends in so many days; days may lie in the past."""
    package = services.grant_package(
        tenant=tenant or make_tenant(),
        name=overrides.pop("name", f"套餐包 {next(_numbers)}"),
        units=units,
        valid_until=timezone.now() + timedelta(days=abs(days) or 1),
        granted_by=None,
        reason="For a test",
    )
    if days <= 0:
        overrides["expires_at"] = timezone.now() + timedelta(days=days)
    if overrides:
        Package.objects.filter(pk=package.pk).update(**overrides)
        package.refresh_from_db()
    return package


def make_order(tenant: Tenant | None = None, *, user: User | None = None, **overrides: Any) -> Order:
    """An order as the purchase page makes it; fields given here are written over it."""
    tenant = tenant or make_tenant()
    user = user or make_user(tenant)
    order = services_orders.place_order(
        tenant=tenant,
        user=user,
        spec=overrides.pop("spec", None) or make_spec(),
        quantity=overrides.pop("quantity", 1),
        token=uuid4(),
    )
    if overrides:
        Order.objects.filter(pk=order.pk).update(**overrides)
        order.refresh_from_db()
    return order


def give_money(tenant: Tenant, amount: str) -> None:
    services_money.change_balance(tenant=tenant, amount=Decimal(amount), reason="For a test", user=None)


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def make_tiers(*tiers: tuple[int, str], since: datetime = LONG_AGO) -> list[PriceTier]:
    """Prices of pay-as-you-go that are in force since then; other versions of that moment go."""
    PriceTier.objects.filter(valid_from=since).delete()
    return [
        PriceTier.objects.create(valid_from=since, from_units=start, price=Decimal(price))
        for start, price in tiers or ((0, "0.0080"), (100, "0.0050"))
    ]


def use_units(tenant: Tenant, units: int, *, at: datetime, reference: str = "", released: int = 0) -> str:
    """Reserve mails and settle them at that moment, as a task does; return the reference."""
    reference = reference or f"U{next(_numbers)}"
    with time_machine.travel(at, tick=False):
        services.reserve_units(tenant=tenant, reference=reference, units=units + released)
        services.settle_units(tenant=tenant, reference=reference, consumed=units, released=released)
    return reference
