"""Payments, from the first attempt to the packages. Money from outside is credited to the balance, and pays from there.

One rule for every way in: what arrives is credited first, each transaction number once. The order is paid with it
where it still waits and the money suffices, alone or together with the balance; else it stays in the balance, and the
payment says why. Payment and packages are one transaction: both or neither.
"""

import logging
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import gateway, orders
from billing.gateway import Notice
from billing.ledger import add_bought_packages, lock_account, write_money
from billing.models import Account, MoneyEntry, Order, Payment
from koomessage.common.codes import short_id
from koomessage.common.errors import RuleViolation

logger = logging.getLogger(__name__)
MOST_QUESTIONS = 20  # at a time: each may wait as long as the gateway likes
Method = Order.Method
Status = Payment.Status
Why = Payment.Why


def lock_order(order: Order) -> tuple[Account, Order]:
    """Return the account and the order, locked in this order everywhere."""
    account = lock_account(order.tenant)
    return account, Order.objects.select_for_update(of=("self",)).get(pk=order.pk)


def open(order: Order, method: str, login: str) -> Payment:
    """Make the attempt, and let the order say how it is being paid."""
    now = timezone.now()
    is_transfer = method == Method.BANK_TRANSFER
    # A transfer gets the days that banks take, once.
    if is_transfer and not order.payments.filter(method=method).exists():
        order.expires_at = max(order.expires_at, now + orders.TRANSFER_LIFETIME)
    order.status = Order.Status.TRANSFER if is_transfer else Order.Status.UNPAID
    order.method = method
    order.save(update_fields=["status", "method", "expires_at"])
    return Payment.objects.create(
        tenant_id=order.tenant_id,
        order=order,
        method=method,
        amount=order.amount,
        currency=order.currency,
        reference=_free_reference(),
        login=login,
        created_at=now,
        asked_at=now,
    )


def _free_reference() -> str:
    reference = short_id("PAY")
    while Payment.objects.filter(reference=reference).exists():
        reference = short_id("PAY")
    return reference


def withdraw(order: Order) -> None:
    order.payments.waiting().update(status=Status.WITHDRAWN, finished_at=timezone.now())


def pay(account: Account, order: Order, payment: Payment, *, login: str) -> None:
    """Take the money and hand over the packages; whoever calls holds both locks in one transaction."""
    now = timezone.now()
    order.status, order.method, order.paid_at = Order.Status.PAID, payment.method, now
    order.save(update_fields=["status", "method", "paid_at"])
    payment.status, payment.finished_at = Status.SUCCEEDED, now
    payment.save(update_fields=["status", "finished_at"])
    write_money(
        account,
        kind=MoneyEntry.Kind.PAYMENT,
        amount=-order.amount,
        reason=order.number,
        login=login,
        at=now,
        order=order,
    )
    add_bought_packages(order=order, spec=order.spec, login=login)


def book(
    account: Account, payment: Payment, *, order: Order, amount: Decimal, number: str, login: str
) -> Payment:
    """Credit what arrived, then pay the order with it or write down why not."""
    if payment.received is not None:  # a second receipt is a row of its own
        withdraw(order)
        payment = _again(payment, login)
    elif payment.status != Status.WAITING:
        withdraw(order)
    why = _obstacle(account, order, amount)
    payment.received, payment.transaction, payment.why = amount, number, why
    payment.status, payment.finished_at = Status.CREDITED, timezone.now()
    _save_booked(payment)
    is_bank = payment.method == Method.BANK_TRANSFER
    write_money(
        account,
        kind=MoneyEntry.Kind.TRANSFER if is_bank else MoneyEntry.Kind.ONLINE,
        amount=amount,
        reason=f"{number} {Why(why).label if why else ''}".strip(),
        login=login,
        at=payment.finished_at,
        order=order,
    )
    if not why:
        pay(account, order, payment, login=login)
    elif why == Why.SHORT:
        open(order, payment.method, login)
    return payment


def _save_booked(payment: Payment) -> None:
    """Two accounts' locks do not keep one number from being booked for both at once: the database does."""
    try:
        with transaction.atomic():
            payment.save(update_fields=["received", "transaction", "why", "status", "finished_at"])
    except IntegrityError:
        if Payment.objects.filter(method=payment.method, transaction=payment.transaction).exists():
            raise RuleViolation(
                _("This transaction number is booked already."), field="transaction_number"
            ) from None
        raise


def _again(payment: Payment, login: str) -> Payment:
    now = timezone.now()
    return Payment.objects.create(
        tenant_id=payment.tenant_id,
        order_id=payment.order_id,
        method=payment.method,
        status=Status.CREDITED,
        amount=payment.amount,
        currency=payment.currency,
        reference=_free_reference(),
        login=login,
        created_at=now,
        asked_at=now,
        finished_at=now,
    )


def _obstacle(account: Account, order: Order, amount: Decimal) -> str:
    """Say why this money cannot pay the order; nothing where it can."""
    status = order.status_at(timezone.now())
    closed = {
        Order.Status.PAID: Why.TWICE,
        Order.Status.EXPIRED: Why.LATE,
        Order.Status.CANCELLED: Why.CANCELLED,
    }
    if status in closed:
        return closed[status]
    # The whole amount pays even an account in arrears; less needs the rest in the balance.
    suffices = amount >= order.amount or account.balance + amount >= order.amount
    return "" if suffices else Why.SHORT


@transaction.atomic
def take_notice(notice: Notice) -> Payment:
    """Do what the gateway says: book the money, or let the payment fail. The same once more changes nothing.

    Raises RuleViolation for a payment we do not know, for another amount or currency than was asked for, and for a
    transaction number that belongs to another payment.
    """
    known = Payment.objects.filter(reference=notice.reference, method=Method.ONLINE).first()
    if known is None:
        raise RuleViolation(_("There is no such payment."))
    account, order = lock_order(known.order)
    payment = Payment.objects.select_for_update(of=("self",)).get(pk=known.pk)
    if (notice.amount, notice.currency) != (payment.amount, payment.currency):
        raise RuleViolation(_("This is not the amount that was asked for."))
    if notice.status == "failed" and payment.status == Status.WAITING:
        payment.status, payment.finished_at = Status.FAILED, timezone.now()
        payment.save(update_fields=["status", "finished_at"])
    if notice.status != "succeeded":
        return payment
    booked = Payment.objects.filter(method=Method.ONLINE, transaction=notice.transaction).first()
    if booked is None:
        return book(
            account,
            payment,
            order=order,
            amount=notice.amount,
            number=notice.transaction,
            login=payment.login,
        )
    if booked.order_id != order.pk:
        raise RuleViolation(_("This transaction number is booked already."))
    return booked


def check(payment: Payment) -> Payment:
    """Ask the gateway what became of the payment, and do what it says; nothing is held meanwhile."""
    Payment.objects.filter(pk=payment.pk).update(asked_at=timezone.now())
    notice = gateway.ask(payment.reference) if payment.method == Method.ONLINE else None
    if notice is None:
        return payment
    try:
        return take_notice(notice)
    except RuleViolation as refusal:
        logger.warning("What the gateway says of payment %s is refused: %s", payment, refusal.message)
        return payment


def check_due(now: datetime) -> int:
    """Ask about the payments that have waited longest for a question; return how many were asked about."""
    due = list(Payment.objects.to_ask_about(now)[:MOST_QUESTIONS]) if gateway.is_offered() else []
    for payment in due:
        check(payment)
    return len(due)
