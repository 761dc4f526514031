"""What was filled in when the session had ended: kept until the same person has signed in again.

Fields are kept in the visitor's new session, never passwords and files. Whose they are is known from a signed
cookie that names who was last signed in at this browser; without it nothing is kept. Anybody else who signs in
there does not see them: they are dropped at that very moment.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

MOST_BYTES = 2**20
LASTS = 3600  # seconds
KEY = "kept_form"
COOKIE = "last_user"
COOKIE_LASTS = 30 * 24 * 3600
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form as it was posted to `path`, from the page `back`; `fields` is empty where it was too large."""

    path: str
    back: str
    fields: Fields
    files: list[str]
    kept_at: datetime

    @property
    def is_too_large(self) -> bool:
        return not self.fields


def keep(request: HttpRequest, *, back: str) -> None:
    """Keep what a visitor posted, in place of what was kept before; forms without an owner or a field are not."""
    owner = request.get_signed_cookie(COOKIE, default=None, salt=COOKIE, max_age=COOKIE_LASTS)
    fields = fields_of(request)
    if owner is None or not any(value for _name, value in fields):
        return
    if size_of(fields) > MOST_BYTES:
        fields = []
    request.session[KEY] = {
        "owner": owner,
        "at": time.time(),
        "path": request.get_full_path(),
        "back": back,
        "fields": fields,
        "files": files_of(request),
    }
    request.session.set_expiry(LASTS)


def fields_of(request: HttpRequest) -> Fields:
    """Return the posted fields in their order, without passwords and the token against forged requests."""
    if request.content_type not in FORM_TYPES:
        return []
    hidden = getattr(request, "sensitive_post_parameters", ())
    if hidden == "__ALL__":
        return []
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken" and "password" not in name.lower() and name not in hidden
        for value in values
    ]


def files_of(request: HttpRequest) -> list[str]:
    """Return the names of the files that came with the form."""
    return [file.name or "" for _name, files in request.FILES.lists() for file in files]


def size_of(fields: Iterable[tuple[str, str]]) -> int:
    return sum(len(name.encode()) + len(value.encode()) for name, value in fields)


def has_kept(request: HttpRequest) -> str:
    """Say to a visitor whether anything is kept ("kept"), was too large ("too_large") or neither ("")."""
    kept = _fresh(request)
    if kept is None:
        return ""
    return "kept" if kept["fields"] else "too_large"


def kept_for(request: HttpRequest) -> KeptForm | None:
    """Return what is kept for the user who is signed in."""
    kept = _fresh(request)
    if kept is None or kept["owner"] != str(request.user.pk):
        return None
    fields = [(name, value) for name, value in kept["fields"]]
    return KeptForm(
        kept["path"], kept["back"], fields, kept["files"], datetime.fromtimestamp(kept["at"], tz=UTC)
    )


def forget(request: HttpRequest) -> None:
    request.session.pop(KEY, None)


def page_after_sign_in(request: HttpRequest) -> str | None:
    """Return the page of what is kept for who has just signed in; say so where it was too large."""
    kept = kept_for(request)
    if kept is None:
        return None
    if not kept.is_too_large:
        return reverse("console:kept_form")
    forget(request)
    messages.warning(
        request,
        _("What you had filled in was larger than 1 MB and could not be kept. Please fill it in again."),
    )
    return None


def drop_strangers(sender: Any, request: HttpRequest, user: Any, **_more: Any) -> None:
    """Drop what another person had filled in (called when somebody signs in, by whatever page)."""
    kept = _fresh(request)
    if kept is None or kept["owner"] != str(user.pk):
        forget(request)
    # The visitor's session was to end with what it kept.
    request.session.set_expiry(None)


def _fresh(request: HttpRequest) -> dict[str, Any] | None:
    kept = request.session.get(KEY)
    return kept if kept and time.time() - kept["at"] < LASTS else None


class KeptFormMiddleware:
    """Remember who is signed in at this browser, and forget what was kept once it was submitted or is too old."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            self._remember(request, response)
            if KEY in request.session and (_fresh(request) is None or _is_submitted(request, response)):
                forget(request)
        return response

    def _remember(self, request: HttpRequest, response: HttpResponse) -> None:
        owner = str(request.user.pk)
        if request.get_signed_cookie(COOKIE, default=None, salt=COOKIE, max_age=COOKIE_LASTS) == owner:
            return
        response.set_signed_cookie(
            COOKIE,
            owner,
            salt=COOKIE,
            max_age=COOKIE_LASTS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def _is_submitted(request: HttpRequest, response: HttpResponse) -> bool:
    """Say whether the kept form's view has read it: an invalid form comes back with all that was typed."""
    is_read = response.status_code < 400 or response.status_code == 422
    return is_read and request.method == "POST" and request.get_full_path() == request.session[KEY]["path"]
