"""No request is larger than the largest form: what is, is refused before anything of it is kept."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# So much of what is refused is taken in and thrown away: a browser reads no answer before it has sent everything.
MOST_DRAINED = 512 * 2**20
CHUNK = 2**20


class BodyLimitMiddleware:
    """Answer 413 to a body of more than MAX_REQUEST_MB, by what the request says of its length.

    No server hands on more than that: who says less has the rest cut off, and the form is refused as incomplete.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = _length(request)
        if length <= settings.MAX_REQUEST_MB * 2**20:
            return self.get_response(request)
        if length <= MOST_DRAINED:
            _drain(request, length)
        return render(request, "413.html", {"most": settings.MAX_REQUEST_MB}, status=413)


def _length(request: HttpRequest) -> int:
    said = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(said[:18]) if said.isdecimal() else 0


def _drain(request: HttpRequest, left: int) -> None:
    try:
        while left > 0 and (chunk := request.read(min(CHUNK, left))):
            left -= len(chunk)
    except OSError:
        return  # who sent it is gone
