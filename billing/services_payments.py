"""What people decide about payments: a tenant pays by one of the methods, an operator confirms what the bank says."""

from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import gateway, orders, payments
from billing.gateway import Notice
from billing.ledger import judge_amount
from billing.models import BankAccount, Order, Payment
from iam import audit
from iam.models import User
from koomessage.common.errors import RuleViolation

Method = Order.Method
ASK_AGAIN_AFTER = timedelta(seconds=3)  # a button can be pressed faster than a gateway likes


@transaction.atomic
def pay_order(*, order: Order, method: str, user: User) -> Order:
    """Pay by the method: from the balance at once, or open a payment that waits for money from outside.

    An order that is paid already stays as it is, and a second click opens no second payment; another method takes
    the place of the one before. Raises RuleViolation where the order is over, the method not offered or the balance
    too small.
    """
    account, order = payments.lock_order(order)
    if order.status == Order.Status.PAID:
        return order
    orders.judge_open(order)
    if method == Method.BALANCE:
        if account.balance < order.amount:
            raise RuleViolation(
                _(
                    "The balance is too small. Choose another method, or ask the operator to credit your account."
                ),
                field="method",
            )
        payments.withdraw(order)
        payment = payments.open(order, method, user.login)
        payments.pay(account, order, payment, login=user.login)
        audit.record(tenant=order.tenant, user=user, action="kooMessage:order:pay", target=order.number)
        return order
    _judge_offer(order, method)
    if order.payments.waiting().filter(method=method).exists():
        return order
    payments.withdraw(order)
    payment = payments.open(order, method, user.login)
    audit.record(
        tenant=order.tenant,
        user=user,
        action="kooMessage:order:pay",
        target=order.number,
        method=method,
        reference=payment.reference,
    )
    return order


def _judge_offer(order: Order, method: str) -> None:
    offered: dict[str, bool] = {
        Method.BANK_TRANSFER: BankAccount.objects.filter(currency=order.currency, is_used=True).exists(),
        Method.ONLINE: gateway.is_offered(),
    }
    if not offered.get(method):
        raise RuleViolation(_("This method is not available. Choose another."), field="method")


@transaction.atomic
def confirm_transfer(*, order: Order, user: User, amount: Decimal, transaction_number: str) -> Payment:
    """Book money that arrived by bank for the order; operators only, each transaction number once.

    Raises RuleViolation where nobody chose a bank transfer for the order, for an odd amount, and for a transaction
    number that is booked already.
    """
    judge_amount(amount)
    number = transaction_number.strip()
    if amount < 0 or not 0 < len(number) <= 64:
        raise RuleViolation(
            _("Enter what arrived, and the bank's transaction number."), field="transaction_number"
        )
    account, order = payments.lock_order(order)
    last = order.payments.filter(method=Method.BANK_TRANSFER).order_by("-pk").first()
    if last is None:
        raise RuleViolation(
            _("Order %(number)s does not wait for a bank transfer.") % {"number": order.number}
        )
    if Payment.objects.filter(method=Method.BANK_TRANSFER, transaction=number).exists():
        raise RuleViolation(_("This transaction number is booked already."), field="transaction_number")
    payment = payments.book(account, last, order=order, amount=amount, number=number, login=user.login)
    audit.record(
        tenant=order.tenant,
        user=user,
        action="billing:order:confirm",
        target=order.number,
        amount=str(amount),
        transaction=number,
    )
    return payment


def take_notice(notice: Notice) -> Payment:
    """Do what the gateway says, once. Raises RuleViolation where it does not fit what we asked for."""
    return payments.take_notice(notice)


def check_order(*, order: Order) -> None:
    """Ask the gateway about the order's last online payment, unless it was asked in the last seconds."""
    last = order.payments.filter(method=Method.ONLINE, received=None).order_by("-pk").first()
    if last and last.asked_at <= timezone.now() - ASK_AGAIN_AFTER:
        payments.check(last)
