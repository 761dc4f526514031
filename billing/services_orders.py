"""Order, and cancel before paying. A paid order is final: nothing here gives money back or changes a size."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import orders
from billing.ledger import lock_account
from billing.models import Order, PackageSpec, Payment
from billing.payments import lock_order
from billing.prices import LEAST_OF_ONE, MOST_OF_ONE
from iam import audit
from iam.models import Tenant, User
from koomessage.common.codes import short_id
from koomessage.common.errors import RuleViolation


@transaction.atomic
def place_order(*, tenant: Tenant, user: User, spec: PackageSpec, quantity: int, token: UUID) -> Order:
    """Order so many packages at the catalogue's price of now; the same form sent twice is one order.

    Raises RuleViolation for a specification that is no longer on offer or a quantity out of range.
    """
    account = lock_account(tenant)
    placed = Order.objects.for_tenant(tenant).filter(token=token).first()
    if placed:
        return placed
    offered = PackageSpec.objects.offered().filter(pk=spec.pk, currency=account.currency).first()
    if offered is None:
        raise RuleViolation(_("This package is no longer on offer. Choose another."), field="spec")
    if not LEAST_OF_ONE <= quantity <= MOST_OF_ONE:
        raise RuleViolation(
            _("Buy 1 to %(most)s packages at a time.") % {"most": MOST_OF_ONE}, field="quantity"
        )
    now = timezone.now()
    _judge_limit(tenant, offered, quantity, now)
    order = Order.objects.create(
        tenant=tenant,
        number=_free_number(),
        token=token,
        spec=offered,
        name=offered.name,
        name_en=offered.name_en,
        units=offered.units,
        price=offered.price,
        currency=offered.currency,
        valid_days=offered.valid_days,
        quantity=quantity,
        ordered_by=user.login,
        created_at=now,
        expires_at=now + orders.lifetime(),
    )
    audit.record(
        tenant=tenant,
        user=user,
        action="kooMessage:order:create",
        target=order.number,
        amount=str(order.amount),
    )
    return order


def _judge_limit(tenant: Tenant, spec: PackageSpec, quantity: int, now: datetime) -> None:
    """Refuse more than an account may buy of a specification; the account is locked, so no two forms slip through."""
    if spec.most_per_account is None:
        return
    counted = Order.objects.for_tenant(tenant).filter(spec=spec).holding(now)
    left = spec.most_per_account - (counted.aggregate(sum=Sum("quantity"))["sum"] or 0)
    if quantity > left:
        raise RuleViolation(
            _("An account may buy %(most)s of this package; %(left)s are left.")
            % {"most": spec.most_per_account, "left": max(left, 0)},
            field="quantity",
        )


def _free_number() -> str:
    number = short_id("CS")
    while Order.objects.filter(number=number).exists():
        number = short_id("CS")
    return number


@transaction.atomic
def cancel_order(*, order: Order, user: User) -> Order:
    """Drop an order that is not paid. Raises RuleViolation for one that is paid or over, or has money."""
    _account, order = lock_order(order)
    orders.judge_open(order)
    payments = Payment.objects.filter(order=order)
    if payments.arrived().exists():
        raise RuleViolation(_("Money has arrived for this order. Pay the rest, or pay it from the balance."))
    payments.waiting().update(status=Payment.Status.WITHDRAWN, finished_at=timezone.now())
    order.status = Order.Status.CANCELLED
    order.save(update_fields=["status"])
    audit.record(tenant=order.tenant, user=user, action="kooMessage:order:cancel", target=order.number)
    return order
