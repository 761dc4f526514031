"""Sample values that make a preview read like a mail."""

from collections.abc import Iterable

from django.utils.translation import gettext as _


def sample_values(names: Iterable[str]) -> dict[str, str]:
    """Return a value for each parameter, guessed from its name, else the name itself in brackets."""
    return {name: _sample(name.lower()) or f"[{name}]" for name in names}


def _sample(name: str) -> str:
    words = (
        (("url", "link", "href"), "https://www.example.com/"),
        (("email", "mail"), "li.na@example.com"),
        (("company", "brand", "shop", "store"), _("Example Ltd")),
        (("product", "item", "goods"), _("Wireless headphones")),
        (("city", "address"), _("18 Binjiang Road")),
        (("tracking", "waybill", "parcel"), "SF1234567890"),
        (("date", "day"), "2024-08-16"),
        (("start",), "22:00"),
        (("end_time", "finish"), "23:30"),
        (("time",), "17:00"),
        (("order", "number", "serial"), "20240816001"),
        (("code", "otp", "pin"), "628419"),
        (("minute", "hour"), "10"),
        (("count", "quantity"), "2"),
        (("amount", "price", "total", "fee", "sum"), "¥199.00"),
        (("phone", "mobile"), "400 000 0000"),
        (("carrier", "courier"), _("Example Express")),
        (("name", "user", "customer"), _("Li Na")),
    )
    return next((value for keys, value in words if any(key in name for key in keys)), "")
