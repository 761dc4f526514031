"""Write amounts and counts; they format, they do not reckon."""

from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.prices import written

register = template.Library()


@register.simple_tag
def money(amount: Decimal, currency: str) -> SafeString:
    """Write an amount in its currency, ¥1,234.50, on one line."""
    return format_html('<span class="text-nowrap tabular">{}</span>', written(amount, currency))


@register.filter
def grouped(number: int | str) -> str:
    """Write a count with its thousands apart, 1,000,000; what is a text already stays as it is."""
    return f"{number:,}" if isinstance(number, int) else number
