"""The tables of billing, by noun."""

from billing.models.accounts import Account
from billing.models.attachments import MoneyAttachment
from billing.models.catalogue import PackageSpec
from billing.models.money import BankAccount, MoneyEntry
from billing.models.notices import Notice
from billing.models.orders import Order
from billing.models.payments import Payment
from billing.models.units import Package, Reservation, UnitEntry
from billing.models.usage import HourUsage, PriceTier

__all__ = [
    "Account",
    "BankAccount",
    "HourUsage",
    "MoneyAttachment",
    "MoneyEntry",
    "Notice",
    "Order",
    "Package",
    "PackageSpec",
    "Payment",
    "PriceTier",
    "Reservation",
    "UnitEntry",
]
