"""What is done once more: those a task failed to reach, and a new task made like an old one."""

from typing import Any
from uuid import UUID, uuid4, uuid5

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from billing.services import remaining_units
from billing.templatetags.amounts import grouped
from email_service.send_tasks import queries, resending, services_again
from email_service.send_tasks.models import Task
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm
from koomessage.common.permissions import may, requires
from koomessage.common.requests import ConsoleRequest

# What a form without a key of its own is told by: one task a task.
_KEYS = UUID("0f4c2a4e-51f0-4c0e-9d2a-6a4f3b3f9b11")


@require_http_methods(["GET", "POST"])
@requires("email_service.add_task", on=Task)
def task_resend(request: ConsoleRequest, task: Task) -> HttpResponse:
    key = _key(request, task)
    refusal = services_again.find_obstacle(task) if request.method == "GET" else None
    if request.method == "POST":
        try:
            again = services_again.resend_failed(task, user=request.user, submission_key=key)
        except RuleViolation as found:
            refusal = found
        else:
            messages.success(request, gettext("The recipients are being copied into a new task."))
            return redirect(again)
    left = resending.left_of(task)
    return render_confirm(
        request,
        title=gettext("Send again to those that failed"),
        question=_question(task, left),
        note=_cost(task, left),
        action_url=f"{reverse('email:task_resend', args=[task.pk])}?key={key}",
        back_url=task.get_absolute_url(),
        confirm_label=gettext("Send to them again"),
        is_danger=False,
        refusal=refusal or "",
    )


def initial(request: ConsoleRequest) -> dict[str, Any]:
    """Return what the empty form begins with: the task of ?copy= where the user may see it, or ?template= alone."""
    pk = request.GET.get("copy", "")
    task = None
    if pk.isdigit() and len(pk) <= 18:
        task = Task.objects.for_tenant(request.tenant).select_related("tenant").filter(pk=pk).first()
    if task is None or not may(request.user, "email_service.view_task", task):
        return {"template": request.GET.get("template")}
    if request.method == "GET":
        messages.info(request, _said(task))
    return queries.prefilled(task)


def _said(task: Task) -> str:
    copied = gettext("The form holds what “%(name)s” had.") % {"name": task.name}
    if task.source == Task.Source.MANUAL and not task.attachments.exists():
        return copied
    files = gettext("Recipient file and attachments are not copied; upload them again.")
    return f"{copied} {files}"


def _key(request: ConsoleRequest, task: Task) -> UUID:
    """Return the key of the form: a new one for each that is shown, so that pressing it twice makes one task."""
    if request.method == "GET":
        return uuid4()
    try:
        return UUID(request.GET.get("key", ""))
    except ValueError:
        return uuid5(_KEYS, task.code)


def _question(task: Task, left: resending.Left) -> str:
    asked = gettext(
        "%(number)s mails of “%(name)s” failed or expired. Send the same mail again to these recipients?"
    ) % {"number": grouped(left.failed), "name": task.name}
    if left.reachable == left.failed:
        return asked
    suppressed = gettext("%(number)s of them are on the suppression list by now and are left out.")
    return f"{asked} {suppressed % {'number': grouped(left.failed - left.reachable)}}"


def _cost(task: Task, left: resending.Left) -> str:
    units = remaining_units(task.tenant)
    cost = gettext("This makes a new task and takes %(number)s mails; your packages hold %(units)s.") % {
        "number": grouped(left.reachable),
        "units": grouped(units),
    }
    if units >= left.reachable or not task.tenant.pay_as_you_go:
        return cost
    more = gettext("What they lack is charged as you go.")
    return f"{cost} {more}"
