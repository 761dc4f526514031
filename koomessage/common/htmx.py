"""One URL, two answers: the whole page, or the fragment htmx swaps."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from koomessage.common.errors import Link, RuleViolation
from koomessage.common.permissions import may

STOP_POLLING = 286


def wants_fragment(request: HttpRequest) -> bool:
    """Say whether htmx asked for a part; boosted and history requests get the page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest, page: str, fragment: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Answer with the fragment where htmx asked for one, else with the page that includes it."""
    asked = wants_fragment(request)
    response = render(request, fragment if asked else page, {**context, "is_fragment": asked}, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response


class FragmentMiddleware:
    """Turn a redirect into HX-Redirect for a fragment, so that the browser goes and not the fragment."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if wants_fragment(request) and response.status_code in (301, 302, 303, 307, 308):
            target = response["Location"]
            response = HttpResponse(status=204)
            response["HX-Redirect"] = target
        return response


def render_confirm(
    request: HttpRequest,
    *,
    title: str | Promise,
    question: str | Promise,
    action_url: str,
    back_url: str,
    confirm_label: str | Promise = "",
    note: str | Promise = "",
    is_danger: bool = True,
    refusal: RuleViolation | str | Promise = "",
) -> HttpResponse:
    """Ask before something is deleted or cancelled: in the dialog, or on a page of its own without scripts.

    With `refusal`, the service's reason why it cannot be done, the answer is 422; its link is shown to those
    who may follow it.
    """
    context = {
        "title": title,
        "question": question,
        "note": note,
        "action_url": action_url,
        "back_url": back_url,
        "confirm_label": confirm_label or _("Confirm"),
        "is_danger": is_danger,
        "refusal": refusal,
        "refusal_link": link_of(refusal, request),
    }
    status = 422 if refusal else 200
    return render_page(request, "components/confirm.html", "components/_confirm.html", context, status=status)


def link_of(refusal: RuleViolation | str | Promise, request: HttpRequest) -> Link | None:
    """Return where the refusal leads, None where it leads nowhere this user may go."""
    link = refusal.link if isinstance(refusal, RuleViolation) else None
    return link if link and may(request.user, link.permission, link.row) else None
