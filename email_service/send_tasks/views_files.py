"""What a task holds, to look at again: its mail, its attachments, its recipient file."""

from django.contrib import messages
from django.core.files.base import File
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from email_service.mail_templates.views_frame import show_version
from email_service.send_tasks import services_again
from email_service.send_tasks.models import Task
from koomessage.common import uploads
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest


@require_GET
@requires("email_service.view_task", on=Task)
def task_mail(request: ConsoleRequest, task: Task) -> HttpResponse:
    """The version that the task sends, whatever became of its template since."""
    return show_version(request, task.template_version)


@require_GET
@requires("email_service.view_task", on=Task)
def task_attachment(request: ConsoleRequest, task: Task, number: int) -> HttpResponseBase:
    row = get_object_or_404(task.attachments, pk=number)
    try:
        return _download(uploads.opened(row.file), row.name)
    except FileNotFoundError as missing:
        raise Http404 from missing
    except uploads.StorageSilent:
        return _later(request, task)


@never_cache
@require_POST
@requires("email_service.reveal_message", on=Task)
def task_recipients(request: ConsoleRequest, task: Task) -> HttpResponseBase:
    """The recipient file as it was uploaded; a POST, since it is written down who took whole addresses away."""
    if not task.recipient_file:
        raise Http404
    try:
        file = uploads.opened(task.recipient_file)
    except FileNotFoundError as missing:
        raise Http404 from missing
    except uploads.StorageSilent:
        return _later(request, task)
    services_again.note_download(task, user=request.user)
    return _download(file, task.recipient_file_name)


def _download(file: File, name: str) -> FileResponse:
    """Hand a stranger's file out to be saved, never shown: whatever it is, the browser does not run it."""
    response = FileResponse(file, as_attachment=True, filename=name, content_type="application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _later(request: ConsoleRequest, task: Task) -> HttpResponse:
    messages.error(request, _("The file cannot be had now. Try again in a few minutes."))
    return redirect(task)
