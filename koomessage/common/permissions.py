"""Who may call a view: every URL's view carries `requires` or `public` (tests/architecture checks)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from koomessage.common import kept_forms
from koomessage.common.requests import ConsoleRequest

View = Callable[..., HttpResponseBase]
# What must be true of the tenant before views of an app label work: returns the answer to give instead.
Gate = Callable[[ConsoleRequest], HttpResponse | None]
_gates: dict[str, list[Gate]] = {}

SIGNED_IN = "signed-in"
STAFF = "staff"
# Every user of an activated account may see where it stands.
OVERVIEW = "console.overview"
OPEN_TO_ALL = (SIGNED_IN, OVERVIEW)


def add_gate(app_label: str, gate: Gate) -> None:
    """Put a gate before every view whose permission belongs to the app label (called from an AppConfig)."""
    _gates.setdefault(app_label, []).append(gate)


def public(view: View) -> View:
    """Mark a view that anybody may call without signing in."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view


def may(user: Any, permission: str, row: models.Model | None = None) -> bool:
    """Say whether the user holds the permission for all rows, or for this one.

    The one place that asks both ways: guardian answers False for a row to a holder of the whole.
    """
    return user.has_perm(permission) or (row is not None and user.has_perm(permission, row))


def requires(
    permission: str, *, on: type[models.Model] | None = None, keeps: bool = True
) -> Callable[[View], View]:
    """Let only holders of the permission through, and hand the view its row.

    `permission` is a Django permission ("email_service.add_domain"), SIGNED_IN (any user of a tenant),
    OVERVIEW (the same, once the account is activated) or STAFF. With `on`, the URL's `pk` is looked up
    among the tenant's rows and passed on in its place: another tenant's row is 404, a row of one's own
    that one may not touch is 403. A visitor is sent to the sign-in page; what it posted is kept
    meanwhile, unless `keeps` is False: for views that only show something. Gates of the permission's app
    label come before the permission.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: ConsoleRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_login(request, keeps=keeps)
            if permission == STAFF:
                if not request.user.is_staff:
                    raise PermissionDenied
                return view(request, *args, **kwargs)
            if request.tenant is None:
                raise PermissionDenied
            for gate in _gates.get(permission.partition(".")[0], ()):
                answer = gate(request)
                if answer is not None:
                    return answer
            row = None
            if on is not None:
                rows = on._default_manager.for_tenant(request.tenant)  # type: ignore[attr-defined]
                row = get_object_or_404(rows, pk=kwargs.pop("pk"))
                args = (row, *args)
            if permission not in OPEN_TO_ALL and not may(request.user, permission, row):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def _to_login(request: HttpRequest, *, keeps: bool) -> HttpResponse:
    page = _page_of(request)
    if request.method == "POST" and keeps:
        kept_forms.keep(request, back=page)
    return redirect_to_login(page, resolve_url(settings.LOGIN_URL))


def _page_of(request: HttpRequest) -> str:
    """Return the page the user is on: a fragment and a posted form come from one and may be none themselves."""
    page = getattr(getattr(request, "htmx", None), "current_url_abs_path", None)
    if not page and request.method == "POST":
        site = f"{request.scheme}://{request.get_host()}"
        came_from = request.headers.get("Referer", "")
        page = came_from.removeprefix(site) if came_from.startswith(f"{site}/") else None
    # A path such as //evil.example would lead to another site.
    is_ours = page and url_has_allowed_host_and_scheme(page, None)
    return str(page) if is_ours else request.get_full_path()
