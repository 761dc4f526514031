"""总览: where an account stands."""

from functools import partial

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from billing.queries import overview_packages
from email_service.domains.queries import losses_of
from email_service.send_tasks.queries import needing_decision
from koomessage.common.permissions import OVERVIEW, may, public, requires
from koomessage.common.requests import ConsoleRequest
from koomessage.console import queries


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
    today, month, bars = queries.sending(request.tenant)
    context = {
        "losses": partial(losses_of, request.tenant),
        "undecided": needing_decision(request.tenant) if may(request.user, "email_service.list_task") else [],
        "steps": queries.guide(request.tenant),
        "today": today,
        "month": month,
        "bars": bars,
        "packages": overview_packages(request.tenant) if may(request.user, "billing.list_package") else [],
        "may_see_packages": may(request.user, "billing.list_package"),
    }
    return render(request, "console/overview.html", context)
