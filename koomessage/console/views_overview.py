"""总览: where an account stands."""

from functools import partial

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from email_service.domains.queries import losses_of
from koomessage.common.htmx import STOP_POLLING
from koomessage.common.permissions import OVERVIEW, may, public, requires
from koomessage.common.requests import ConsoleRequest
from koomessage.console import board, queries


@require_GET
@public
def home(request: ConsoleRequest) -> HttpResponseBase:
    """Send the platform's staff to the administration, everybody else to 总览."""
    if request.user.is_authenticated and request.tenant is None:
        return redirect("admin:index")
    return overview(request)


@require_GET
@requires(OVERVIEW)
def overview(request: ConsoleRequest) -> HttpResponseBase:
    steps = queries.guide(request.tenant)
    context = {
        "losses": partial(losses_of, request.tenant)
        if may(request.user, "email_service.list_domain")
        else [],
        "steps": steps,
        "is_set_up": all(step.is_done for step in steps),
        "board": board.board_of(request.tenant, request.user),
    }
    return render(request, "console/overview.html", context)


@require_GET
@requires("email_service.list_task")
def overview_tasks(request: ConsoleRequest) -> HttpResponse:
    """The block of 总览 that moves; polling ends when nothing is under way any more."""
    tasks = board.tasks_of(request.tenant, timezone.now())
    status = 200 if tasks.moving else STOP_POLLING
    return render(request, "console/_overview_tasks.html", {"tasks": tasks}, status=status)
