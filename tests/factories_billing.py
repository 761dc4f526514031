"""Packages, specifications and orders for tests."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from django.utils import timezone

from billing import services, services_money, services_orders
from billing.models import Order, Package, PackageSpec
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
