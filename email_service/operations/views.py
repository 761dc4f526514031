"""发送引擎: how the engine does, and what only people can decide."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from email_service.operations import ceilings, queries, services
from email_service.operations.forms import PauseForm
from email_service.send_details.models import Message
from email_service.send_tasks.ceilings import read
from email_service.setup import services as setup_services
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import STAFF, requires
from koomessage.common.requests import ConsoleRequest

LOOK, DECIDE = "email_service.view_emailservice", "email_service.change_emailservice"
SORTS = {"id": "pk"}
QUESTIONS: dict[str, tuple[str | Promise, str | Promise, str | Promise]] = {
    "resend": (
        _("Send again"),
        _("Send message %(id)s to %(recipient)s again?"),
        _(
            "It has the same message ID. If the first one came after all, the recipient may get a second copy."
        ),
    ),
    "delivered": (
        _("Mark as delivered"),
        _("Mark message %(id)s to %(recipient)s as delivered?"),
        _(
            "It is not sent again, and the account pays for it. Do so when the receiving server's log shows it."
        ),
    ),
    "failed": (
        _("Mark as failed"),
        _("Mark message %(id)s to %(recipient)s as failed?"),
        _("It is not sent again, and the account pays nothing for it."),
    ),
}


def _needs(request: ConsoleRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


@require_GET
@requires(STAFF)
def engine(request: ConsoleRequest) -> HttpResponse:
    _needs(request, LOOK)
    now, claimed = timezone.now(), queries.claimed()
    standing = read(now)
    parked = ceilings.parked(standing)
    page = paginate(request, queries.held(), sorts=SORTS, default="id")
    context = {
        "now": now,
        "windows": queries.WINDOWS,
        "rates": queries.rates(now),
        "accounts": queries.queue_by_account(now, claimed),
        "destinations": queries.queue_by_destination(now, claimed, standing, parked),
        "limits": ceilings.limits(standing, parked),
        "workers": queries.workers(now),
        "slowest": queries.slowest(),
        "page": page,
        "doubts": queries.doubts(page.rows),
        "may_decide": request.user.has_perm(DECIDE),
    }
    page_name, fragment = "email_service/operations/engine.html", "email_service/operations/_engine.html"
    return render_page(request, page_name, fragment, context)


@require_http_methods(["GET", "POST"])
@requires(STAFF)
def engine_decide(request: ConsoleRequest, pk: int, decision: str) -> HttpResponse:
    """Ask, then carry out, what becomes of a message in doubt."""
    _needs(request, DECIDE)
    if decision not in QUESTIONS:
        raise Http404
    message = get_object_or_404(Message.objects.select_related("tenant"), pk=pk)
    refusal: RuleViolation | str = ""
    if request.method == "POST":
        try:
            is_new = services.decide_held(message, decision=decision, user=request.user)
        except RuleViolation as found:
            refusal = found
        else:
            done = gettext("Decided.") if is_new else gettext("It had been decided so already.")
            messages.success(request, done)
            return redirect("email:engine")
    return _ask(request, message, decision, refusal)


def _ask(
    request: ConsoleRequest, message: Message, decision: str, refusal: RuleViolation | str
) -> HttpResponse:
    title, question, note = QUESTIONS[decision]
    return render_confirm(
        request,
        title=title,
        question=question % {"id": message.pk, "recipient": message.masked_recipient},
        note=note,
        action_url=reverse("email:engine_decide", args=[message.pk, decision]),
        back_url=reverse("email:engine"),
        confirm_label=title,
        is_danger=decision != "delivered",
        refusal=refusal,
    )


@require_http_methods(["GET", "POST"])
@requires(STAFF)
def engine_pause(request: ConsoleRequest) -> HttpResponse:
    _needs(request, DECIDE)
    form = PauseForm(request.POST or None)
    if form.is_valid():
        setup_services.pause_platform(user=request.user, **form.cleaned_data)
        messages.success(request, gettext("All sending is paused. Workers stop within ten seconds."))
        return redirect("email:engine")
    return render_page(
        request,
        "email_service/operations/pause.html",
        "email_service/operations/_pause.html",
        {"form": form},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@requires(STAFF)
def engine_resume(request: ConsoleRequest) -> HttpResponse:
    _needs(request, DECIDE)
    if request.method == "POST":
        services.resume_all(user=request.user)
        messages.success(request, gettext("The platform sends again."))
        return redirect("email:engine")
    return render_confirm(
        request,
        title=gettext("Resume sending"),
        question=gettext("Let all accounts send again?"),
        action_url=reverse("email:engine_resume"),
        back_url=reverse("email:engine"),
        is_danger=False,
    )
