"""The tables of billing, by noun."""

from billing.models.accounts import Account
from billing.models.attachments import MoneyAttachment
from billing.models.catalogue import PackageSpec
from billing.models.money import BankAccount, MoneyEntry
from billing.models.orders import Order
from billing.models.payments import Payment
from billing.models.units import Package, Reservation, UnitEntry

__all__ = [
    "Account",
    "BankAccount",
    "MoneyAttachment",
    "MoneyEntry",
    "Order",
    "Package",
    "PackageSpec",
    "Payment",
    "Reservation",
    "UnitEntry",
]
