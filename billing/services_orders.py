"""Order, pay, cancel before paying. A paid order is final: nothing here gives money back or changes a size."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import orders
from billing.models import BankAccount, MoneyEntry, Order, PackageSpec
from billing.prices import LEAST_OF_ONE, MOST_OF_ONE
from billing.services import add_bought_packages, lock_account
from billing.services_money import write_money
from iam import audit
from iam.models import Tenant, User
from koomessage.common.codes import short_id
from koomessage.common.errors import RuleViolation

Status = Order.Status


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


def _free_number() -> str:
    number = short_id("CS")
    while Order.objects.filter(number=number).exists():
        number = short_id("CS")
    return number


@transaction.atomic
def pay_order(*, order: Order, method: str, user: User) -> Order:
    """Pay by the method: from the balance at once, or announce a bank transfer for an operator to confirm.

    An order that is paid already stays as it is: a second click pays nothing. Raises RuleViolation where the
    order is over or the balance too small.
    """
    account = lock_account(order.tenant)
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    if order.status == Status.PAID:
        return order
    _judge_open(order)
    now = timezone.now()
    if method == Order.Method.BANK_TRANSFER:
        if not BankAccount.objects.filter(currency=order.currency, is_used=True).exists():
            raise RuleViolation(_("Bank transfer is not available. Choose another method."), field="method")
        # Chosen again, the transfer does not get more time.
        if order.status == Status.UNPAID:
            order.expires_at = now + orders.TRANSFER_LIFETIME
        order.status, order.method = Status.TRANSFER, Order.Method.BANK_TRANSFER
        order.save(update_fields=["status", "method", "expires_at"])
        return order
    if account.balance < order.amount:
        raise RuleViolation(
            _("The balance is too small. Choose bank transfer, or ask the operator to credit your account."),
            field="method",
        )
    order.method = Order.Method.BALANCE
    paid = _finish(order, user)
    audit.record(tenant=order.tenant, user=user, action="kooMessage:order:pay", target=order.number)
    return paid


@transaction.atomic
def confirm_transfer(*, order: Order, user: User, bank_reference: str) -> Order:
    """Write down that the order's amount arrived by bank, and hand over its packages; operators only.

    Money that arrives late still buys what it was sent for. Raises RuleViolation where the order does not
    wait for a transfer.
    """
    account = lock_account(order.tenant)
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    if order.method != Order.Method.BANK_TRANSFER or order.status not in (Status.TRANSFER, Status.EXPIRED):
        raise RuleViolation(
            _("Order %(number)s does not wait for a bank transfer.") % {"number": order.number}
        )
    if not bank_reference.strip():
        raise RuleViolation(_("Enter the number of the bank statement."), field="bank_reference")
    write_money(
        account,
        kind=MoneyEntry.Kind.TRANSFER,
        amount=order.amount,
        reason=bank_reference,
        login=user.login,
        at=timezone.now(),
        order=order,
    )
    paid = _finish(order, user)
    audit.record(tenant=order.tenant, user=user, action="billing:order:confirm", target=order.number)
    return paid


@transaction.atomic
def cancel_order(*, order: Order, user: User) -> Order:
    """Drop an order that is not paid. Raises RuleViolation for one that is paid or over."""
    lock_account(order.tenant)
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    _judge_open(order)
    order.status = Status.CANCELLED
    order.save(update_fields=["status"])
    audit.record(tenant=order.tenant, user=user, action="kooMessage:order:cancel", target=order.number)
    return order


def _judge_open(order: Order) -> None:
    status = order.status_at(timezone.now())
    if status == Status.PAID:
        raise RuleViolation(_("This order is paid; a paid order is final."))
    if status not in Order.OPEN:
        raise RuleViolation(_("This order is closed. Place a new one."))


def _finish(order: Order, user: User) -> Order:
    """Take the money and hand over the packages, both or neither."""
    order.status = Status.PAID
    order.paid_at = timezone.now()
    order.save(update_fields=["status", "method", "paid_at"])
    write_money(
        lock_account(order.tenant),
        kind=MoneyEntry.Kind.PAYMENT,
        amount=-order.amount,
        reason=order.number,
        login=user.login,
        at=order.paid_at,
        order=order,
    )
    add_bought_packages(order=order, spec=order.spec, login=user.login)
    return order
