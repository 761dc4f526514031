"""发送引擎: how the engine does, and what only people can decide."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from email_service.operations import ceilings, doubts, queries, services
from email_service.operations.forms import PauseForm
from email_service.send_tasks.ceilings import read
from email_service.setup import services as setup_services
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import STAFF, requires
from koomessage.common.requests import ConsoleRequest

LOOK, DECIDE = "email_service.view_emailservice", "email_service.change_emailservice"
SORTS = {"id": "pk"}


def needs(request: ConsoleRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


@require_GET
@requires(STAFF)
def engine(request: ConsoleRequest) -> HttpResponse:
    needs(request, LOOK)
    now, claimed = timezone.now(), queries.claimed()
    standing = read(now)
    parked = ceilings.parked(standing)
    page = paginate(request, doubts.held(), sorts=SORTS, default="id")
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
        "doubts": doubts.doubts(page.rows),
        "may_decide": request.user.has_perm(DECIDE),
    }
    page_name, fragment = "email_service/operations/engine.html", "email_service/operations/_engine.html"
    return render_page(request, page_name, fragment, context)


@require_http_methods(["GET", "POST"])
@requires(STAFF)
def engine_pause(request: ConsoleRequest) -> HttpResponse:
    needs(request, DECIDE)
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
    needs(request, DECIDE)
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
