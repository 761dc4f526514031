"""Which account a request acts for, and its time zone."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone


class TenantMiddleware:
    """Set `request.tenant`: the signed-in user's account, None for visitors and the platform's staff."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        tenant = request.user.tenant if request.user.is_authenticated else None
        request.tenant = tenant  # type: ignore[attr-defined]
        if tenant is None:
            return self.get_response(request)
        with timezone.override(zoneinfo.ZoneInfo(tenant.time_zone)):
            return self.get_response(request)
