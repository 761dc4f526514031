"""The shell's own pages: language, theme, errors."""

import sys

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_POST

from koomessage.common import kept_forms
from koomessage.common.htmx import wants_fragment
from koomessage.common.outages import Outage, outage_of
from koomessage.common.permissions import public
from koomessage.console.context import THEMES

A_YEAR = 365 * 24 * 3600


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return redirect(target if safe else "/")


@require_POST
@public
def language_set(request: HttpRequest) -> HttpResponse:
    response = _back(request)
    if request.POST.get("language") in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            request.POST["language"],
            max_age=A_YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


@require_POST
@public
def theme_set(request: HttpRequest) -> HttpResponse:
    response = _back(request)
    if request.POST.get("theme") in THEMES:
        response.set_cookie(
            "theme",
            request.POST["theme"],
            max_age=A_YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


@requires_csrf_token
def error_403(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", status=403)


@requires_csrf_token
def error_404(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", status=404)


@requires_csrf_token
def error_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token does not fit (named in the settings).

    A form of our own pages may be submitted again as it is; a dialog gets the new token, for its next try.
    """
    fields = kept_forms.fields_of(request) if _is_own_form(request) else []
    context = {"fields": fields, "files": kept_forms.files_of(request) if fields else []}
    response = render(request, "403_csrf.html", context, status=403)
    if fields and wants_fragment(request):
        response["X-CSRFToken"] = get_token(request)
    return response


@requires_csrf_token
def error_500(request: HttpRequest) -> HttpResponse:
    """Say what went wrong; where a disk is full or the database is away, what was typed can be submitted again."""
    outage = outage_of(sys.exc_info()[1])
    # Without the request's own context, which asks the database.
    if outage is None:
        return HttpResponse(render_to_string("500.html"), status=500)
    is_post = request.method == "POST"
    fields = kept_forms.fields_of(request) if is_post and _is_own_form(request) else []
    context = {
        "is_full": outage is Outage.ROOM,
        "is_post": is_post,
        "fields": fields,
        "files": kept_forms.files_of(request) if fields else [],
        "path": request.get_full_path(),
        "csrf_token": get_token(request),
    }
    return HttpResponse(render_to_string("outage.html", context), status=outage)


def _is_own_form(request: HttpRequest) -> bool:
    """Say whether one of our pages sent this, which no other site can pretend, to a view for signed-in users."""
    view = request.resolver_match.func if request.resolver_match else None
    is_guarded = getattr(view, "permission", "public") != "public"
    return is_guarded and request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
