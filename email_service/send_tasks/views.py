"""发送任务: the list, the form 新建发送任务, and a task's page."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from email_service.domains.queries import losses_of
from email_service.mail_templates.models import Template
from email_service.send_tasks import (
    exports,
    queries,
    queries_check,
    reasons,
    services_check,
    timeline,
    waits,
)
from email_service.send_tasks.filters import TaskFilter
from email_service.send_tasks.forms import TaskForm
from email_service.send_tasks.models import Task
from email_service.send_tasks.models_check import RecipientCheck
from iam.models import Tenant
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import STOP_POLLING, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"created": "created_at", "name": "name", "status": "status"}
MOVING = (Task.Status.PREPARING, Task.Status.SENDING)


@require_GET
@requires("email_service.list_task")
def task_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = TaskFilter(request.GET)
    page = paginate(
        request, filter_form.narrow(Task.objects.for_tenant(request.tenant)), sorts=SORTS, default="-created"
    )
    is_polling = any(row.status in MOVING for row in page.rows)
    context = {"page": page, "rows": waits.beside(page.rows), "filter": filter_form, "is_polling": is_polling}
    return render_page(
        request, "email_service/send_tasks/list.html", "email_service/send_tasks/_list.html", context
    )


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
    context = {"form": form, "kept": kept, "template": _chosen(request, kept)}
    return render_page(
        request,
        "email_service/send_tasks/add.html",
        "email_service/send_tasks/_form.html",
        {**context, **_prerequisites(form, request.tenant)},
        status=422 if form.errors else 200,
    )


def _form(request: ConsoleRequest, kept: RecipientCheck | None) -> TaskForm:
    initial = kept.form_values if kept else {"template": request.GET.get("template")}
    return TaskForm(request.POST or None, request.FILES or None, tenant=request.tenant, initial=initial)


def _prerequisites(form: TaskForm, tenant: Tenant) -> dict[str, Any]:
    has_template = form.fields["template"].queryset.exists()  # type: ignore[attr-defined]
    has_address = form.fields["address"].queryset.exists()  # type: ignore[attr-defined]
    return {
        "has_template": has_template,
        "has_address": has_address,
        "can_submit": has_template and has_address,
        "losses": partial(losses_of, tenant),
    }


def _chosen(request: ConsoleRequest, kept: RecipientCheck | None = None) -> Template | None:
    """Return the template the form shows now, where it is one the tenant may send."""
    pk = request.POST.get("template") or request.GET.get("template", "")
    pk = str(kept.template_id or "") if kept and not pk else pk
    if not pk.isdigit() or len(pk) > 18:
        return None
    return queries.sendable_templates(request.tenant).select_related("version").filter(pk=pk).first()


@require_GET
@requires("email_service.add_task")
def task_template(request: ConsoleRequest) -> HttpResponse:
    """What the form shows beside it: preview, parameters and sample file of the chosen template."""
    return render(request, "email_service/send_tasks/_template.html", {"template": _chosen(request)})


@require_GET
@requires("email_service.add_task")
def task_sample(request: ConsoleRequest) -> HttpResponse:
    template = _chosen(request)
    name = f"recipients-{template.code}.xlsx" if template else "recipients.xlsx"
    return _download(exports.sample(template), name)


@require_GET
@requires("email_service.view_task", on=Task)
def task_detail(request: ConsoleRequest, task: Task) -> HttpResponse:
    context = {
        **_state(task),
        "problems": queries.problem_rows(task),
        "problem_count": queries.problem_count(task),
    }
    return render(request, "email_service/send_tasks/detail.html", context)


@require_GET
@requires("email_service.view_task", on=Task)
def task_progress(request: ConsoleRequest, task: Task) -> HttpResponse:
    """The part of a task's page that moves; polling ends with the work."""
    status = 200 if is_moving(task) else STOP_POLLING
    return render(request, "email_service/send_tasks/_progress.html", _state(task), status=status)


def is_moving(task: Task) -> bool:
    """Say whether the task changes by itself; a cancelled one while workers hold something of it."""
    ends = task.status == Task.Status.CANCELLED and task.pending_count > queries.held_count(task)
    return task.status in MOVING or ends


def _state(task: Task) -> dict[str, Any]:
    return {
        "task": task,
        "reason": reasons.task_sentence(task.status_reason),
        "waits": waits.of_task(task),
        "counts": queries.counts(task),
        "held": queries.held_count(task),
        "timeline": timeline.timeline(task),
        "is_moving": is_moving(task),
        "stopped": queries.stopped(task),
        "can_cancel": task.status in (Task.Status.PREPARING, Task.Status.SCHEDULED),
        "can_stop": task.status in (Task.Status.SENDING, Task.Status.PAUSED, Task.Status.QUOTA_PAUSED),
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
