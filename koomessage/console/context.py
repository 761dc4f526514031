"""What the shell around every page needs."""

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from billing.prices import written
from billing.queries import balance_of
from email_service.setup.queries import pause_of, platform_pause
from koomessage.common.htmx import wants_fragment
from koomessage.common.permissions import may
from koomessage.console import navigation

THEMES = ("light", "dark")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates the navigation (not for fragments), the theme and the platform's name."""
    theme = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {
        "platform_name": settings.PLATFORM_NAME,
        "theme": theme if theme in THEMES else "light",
        "is_demo": settings.DEMO,
        "navigation": [],
        "account_balance": None,
    }
    tenant = getattr(request, "tenant", None)
    # Asked only by the pages that show it: an account reads its own pause, staff the platform's.
    context["sending_pause"] = partial(pause_of, tenant) if tenant is not None else platform_pause
    if hasattr(request, "htmx") and wants_fragment(request):
        return context
    if tenant is not None and tenant.is_activated and may(request.user, "billing.list_package"):
        context["account_balance"] = SimpleLazyObject(lambda: written(*balance_of(tenant)))
    if tenant is not None or getattr(getattr(request, "user", None), "is_staff", False):
        context["navigation"] = SimpleLazyObject(lambda: list(navigation.visible(request)))  # type: ignore[arg-type]
    return context
