"""What recipients open: no sign-in, no cookies; a GET never unsubscribes."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from email_service.feedback import services
from koomessage.common.permissions import public

PAGE = "email_service/feedback/unsubscribe.html"


# Mail clients post RFC 8058's one click without a page before it: the token is what proves the right.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@public
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show 确认退订 to who opens the link; unsubscribe who posts, by one click or by the page's button."""
    if request.method == "POST" and not services.unsubscribe(token):
        raise Http404
    invitation = services.read_invitation(token)
    if invitation is None:
        raise Http404
    return render(request, PAGE, {"invitation": invitation, "is_done": request.method == "POST"})
