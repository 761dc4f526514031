"""发送任务: the list, the form 新建发送任务, and a task's page."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import reselect, retarget, trigger_client_event

from email_service.send_tasks import (
    exports,
    queries,
    queries_check,
    rates,
    reasons,
    services_check,
    shares,
    timeline,
    views_again,
    waits,
)
from email_service.send_tasks.filters import TaskFilter
from email_service.send_tasks.forms import TaskForm
from email_service.send_tasks.models import Task
from email_service.send_tasks.models_check import RecipientCheck
from email_service.send_tasks.views_form import chosen_template, form_context
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import STOP_POLLING, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"created": "created_at", "name": "name", "status": "status"}
MOVING = (Task.Status.PREPARING, Task.Status.SENDING, Task.Status.QUOTA_PAUSED)


@require_GET
@requires("email_service.list_task")
def task_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = TaskFilter(request.GET)
    page = paginate(
        request, filter_form.narrow(Task.objects.for_tenant(request.tenant)), sorts=SORTS, default="-created"
    )
    context = {
        "page": page,
        "rows": [(task, found, shares.parts(task)) for task, found in waits.beside(page.rows)],
        "filter": filter_form,
        "is_polling": any(row.status in MOVING for row in page.rows),
    }
    name, fragment = "email_service/send_tasks/list.html", "email_service/send_tasks/_list.html"
    response = render_page(request, name, fragment, context)
    if not page.rows and request.htmx.target == "task-rows":
        # The last row left while the rows alone were asked for: what says so stands around them.
        return reselect(retarget(response, "#task-list"), "#task-list")
    return response


@require_http_methods(["GET", "POST"])
@requires("email_service.add_task")
def task_add(request: ConsoleRequest) -> HttpResponse:
    kept = queries_check.check_of_form(
        request.tenant, pk=request.GET.get("check", ""), submission_key=request.POST.get("submission_key", "")
    )
    form = _form(request, kept)
    if form.is_valid():
        try:
            row = services_check.take_form(tenant=request.tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            if isinstance(row, Task):
                messages.success(request, _("The send task was submitted."))
            return redirect(row)
    return render_page(
        request,
        "email_service/send_tasks/add.html",
        "email_service/send_tasks/_form.html",
        {**form_context(request, form), "kept": kept},
        status=422 if form.errors else 200,
    )


def _form(request: ConsoleRequest, kept: RecipientCheck | None) -> TaskForm:
    initial = kept.form_values if kept else views_again.initial(request)
    return TaskForm(request.POST or None, request.FILES or None, tenant=request.tenant, initial=initial)


@require_GET
@requires("email_service.add_task")
def task_sample(request: ConsoleRequest) -> HttpResponse:
    template = chosen_template(request.tenant, request.GET.get("template"))
    name = f"recipients-{template.code}.xlsx" if template else "recipients.xlsx"
    return _download(exports.sample(template), name)


@require_GET
@requires("email_service.view_task", on=Task)
def task_detail(request: ConsoleRequest, task: Task) -> HttpResponse:
    context = {
        **_state(task),
        "attachments": task.attachments.order_by("pk"),
        "problems": queries.problem_rows(task),
        "problem_count": queries.problem_count(task),
        "removed": queries.removed_count(task),
    }
    return render(request, "email_service/send_tasks/detail.html", context)


@require_GET
@requires("email_service.view_task", on=Task)
def task_progress(request: ConsoleRequest, task: Task) -> HttpResponse:
    """The part of a task's page that moves; polling ends with the work."""
    state = _state(task)
    status = 200 if state["is_moving"] else STOP_POLLING
    response = render(request, "email_service/send_tasks/_progress.html", state, status=status)
    # The rows that became no mail stand below, where the page was shown before they were read.
    if "reading" in request.GET and task.is_read and queries.problem_count(task):
        trigger_client_event(response, "task-read")
    return response


def _state(task: Task) -> dict[str, Any]:
    """What the moving part of a task's page shows."""
    figures = shares.figures(task)
    held = shares.held_of(figures)
    found = waits.of_task(task)
    resends = queries.resends_of(task)
    # A cancelled one moves while workers hold something of it.
    ends = task.status == Task.Status.CANCELLED and task.pending_count > held
    return {
        "task": task,
        "reason": reasons.task_sentence(task.status_reason),
        "waits": found,
        "rate": rates.rate_of(task, waiting=0 if found else task.pending_count - held),
        "parts": shares.parts(task),
        "figures": figures,
        "held": held,
        "timeline": timeline.timeline(task),
        "is_moving": task.status in MOVING or ends,
        "stopped": queries.stopped(task, held),
        "resends": resends,
        "can_cancel": task.status in (Task.Status.PREPARING, Task.Status.SCHEDULED),
        "can_stop": task.status in (Task.Status.SENDING, Task.Status.PAUSED, Task.Status.QUOTA_PAUSED),
        "can_resend": queries.can_resend(task, resends),
    }


@require_GET
@requires("email_service.view_task", on=Task)
def task_rows(request: ConsoleRequest, task: Task) -> HttpResponse:
    """The rows that became no message, as a file."""
    return _download(exports.problem_rows(task), f"{task.code}-rows.xlsx")


def _download(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=exports.XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
