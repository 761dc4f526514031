"""The page between the form and the task: what the recipient file holds, and what sending it means."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from email_service.mail_templates.rendering import preview
from email_service.mail_templates.views_frame import frame
from email_service.send_tasks import exports_check, queries_check, reasons, services_check
from email_service.send_tasks.models_check import RecipientCheck
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import STOP_POLLING, render_page
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

PAGE = "email_service/send_tasks/check.html"


@require_GET
@requires("email_service.add_task", on=RecipientCheck)
def check_detail(request: ConsoleRequest, check: RecipientCheck) -> HttpResponse:
    """The whole page; as a fragment the one row that is asked for."""
    if check.task is not None:
        return redirect(check.task)
    context = {**_found(check), **_row(request, check)}
    return render_page(request, PAGE, "email_service/send_tasks/_check_row.html", context)


@require_GET
@requires("email_service.add_task", on=RecipientCheck)
def check_progress(request: ConsoleRequest, check: RecipientCheck) -> HttpResponse:
    """What was found so far; polling ends with the reading."""
    if check.task is not None:
        return redirect(check.task)
    context = {**_found(check), **_row(request, check)}
    status = 200 if check.is_moving else STOP_POLLING
    return render(request, "email_service/send_tasks/_check.html", context, status=status)


@require_POST
@requires("email_service.add_task", on=RecipientCheck)
def check_submit(request: ConsoleRequest, check: RecipientCheck) -> HttpResponse:
    leaves_out = request.POST.get("leaves_out") == "on"
    try:
        task = services_check.submit_check(check, user=request.user, leaves_out=leaves_out)
    except RuleViolation as refusal:
        check.refresh_from_db()
        context = {**_found(check), **_row(request, check), "refusal": refusal, "leaves_out": leaves_out}
        return render_page(request, PAGE, "email_service/send_tasks/_check.html", context, status=422)
    if task is None:
        messages.info(
            request, _("The file is checked again, since the template changed or the check is old.")
        )
        return redirect(check)
    messages.success(request, _("The send task was submitted."))
    return redirect(task)


@require_GET
@requires("email_service.add_task", on=RecipientCheck)
def check_rows(request: ConsoleRequest, check: RecipientCheck) -> FileResponse:
    """The rows that become no mail, as a file."""
    if check.task is not None or check.state != RecipientCheck.State.DONE:
        raise Http404
    return exports_check.annotated(check)


@require_GET
@requires("email_service.add_task", on=RecipientCheck)
def check_frame(request: ConsoleRequest, check: RecipientCheck) -> HttpResponse:
    """The mail of one row, for the sandboxed frame."""
    row = queries_check.shown_row(check, request.GET.get("row", ""))
    if row is None or check.template_version is None:
        return frame("")
    return frame(preview(check.template_version, row.values))


def _found(check: RecipientCheck) -> dict[str, Any]:
    return {
        "check": check,
        "report": queries_check.report(check),
        "reason": reasons.task_sentence(check.reason),
        "refusal": None,
        "leaves_out": False,
    }


def _row(request: ConsoleRequest, check: RecipientCheck) -> dict[str, Any]:
    is_done = check.state == RecipientCheck.State.DONE
    wanted = request.GET.get("row", "")
    return {
        "row": queries_check.shown_row(check, wanted) if is_done else None,
        "first_rows": queries_check.first_rows(check) if is_done else [],
    }
