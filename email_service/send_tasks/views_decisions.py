"""What a person decides about a task that was submitted."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from billing.templatetags.amounts import grouped
from email_service.send_tasks import queries, services
from email_service.send_tasks.models import Task
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest


@require_http_methods(["GET", "POST"])
@requires("email_service.cancel_task", on=Task)
def task_cancel(request: ConsoleRequest, task: Task) -> HttpResponse:
    refusal: str | Promise = ""
    if request.method == "POST":
        try:
            services.cancel_task(task, user=request.user)
        except RuleViolation as found:
            refusal = found.message
        else:
            messages.success(request, gettext("The task was cancelled; nothing of it was sent."))
            return redirect("email:task_list")
    return render_confirm(
        request,
        title=gettext("Cancel the scheduled task"),
        question=gettext("Cancel “%(name)s”? None of its mails will be sent.") % {"name": task.name},
        action_url=reverse("email:task_cancel", args=[task.pk]),
        back_url=reverse("email:task_list"),
        refusal=refusal,
    )


@require_http_methods(["GET", "POST"])
@requires("email_service.cancel_task", on=Task)
def task_cancel_rest(request: ConsoleRequest, task: Task) -> HttpResponse:
    refusal: str | Promise = ""
    if request.method == "POST":
        try:
            services.cancel_rest(task, user=request.user)
        except RuleViolation as found:
            refusal = found.message
        else:
            messages.success(request, _stopped(queries.split(task)))
            return redirect(task)
    return render_confirm(
        request,
        title=gettext("Cancel the rest"),
        question=gettext("Cancel what has not been sent of “%(name)s”?") % {"name": task.name},
        note=_standing(queries.split(task)),
        action_url=reverse("email:task_cancel_rest", args=[task.pk]),
        back_url=task.get_absolute_url(),
        refusal=refusal,
    )


def _standing(split: queries.Split) -> str:
    standing = gettext(
        "%(sent)s of %(total)s mails have been sent and stay sent; %(waiting)s have not. This cannot be undone."
    ) % {
        "sent": grouped(split.sent),
        "total": grouped(split.sent + split.waiting + split.held),
        "waiting": grouped(split.waiting),
    }
    if not split.held:
        return standing
    unknown = gettext("The state of %(held)s more is unknown; the platform decides about them.")
    return f"{standing} {unknown % {'held': grouped(split.held)}}"


def _stopped(split: queries.Split) -> str:
    done = gettext("The rest was cancelled: %(sent)s mails had been sent, %(cancelled)s were cancelled.") % {
        "sent": grouped(split.sent),
        "cancelled": grouped(split.cancelled),
    }
    if not split.waiting:
        return done
    on_its_way = gettext("On their way until the servers answer: %(waiting)s.")
    return f"{done} {on_its_way % {'waiting': grouped(split.waiting)}}"


@require_POST
@requires("email_service.change_task", on=Task)
def task_pause(request: ConsoleRequest, task: Task) -> HttpResponse:
    return _decide(request, task, services.pause_task, gettext("The task is paused."))


@require_http_methods(["GET", "POST"])
@requires("email_service.change_task", on=Task)
def task_resume(request: ConsoleRequest, task: Task) -> HttpResponse:
    """Resume by a button; a task whose hour has passed asks first whether it is still wanted."""
    if request.method == "POST":
        return _decide(request, task, services.resume_task, gettext("The task goes on."))
    due = timezone.localtime(task.due_at).strftime("%Y-%m-%d %H:%M:%S")
    late = gettext("It was due at %(due)s, %(late)s ago.") % {"due": due, "late": timesince(task.due_at)}
    number = gettext("%(number)s mails wait.") % {"number": grouped(task.pending_count)}
    return render_confirm(
        request,
        title=gettext("Resume"),
        question=gettext("Send “%(name)s” now?") % {"name": task.name},
        note=f"{late} {number}" if task.is_late else number,
        action_url=reverse("email:task_resume", args=[task.pk]),
        back_url=task.get_absolute_url(),
        confirm_label=gettext("Send now"),
        is_danger=False,
    )


def _decide(request: ConsoleRequest, task: Task, decision: Callable[..., None], done: str) -> HttpResponse:
    try:
        decision(task, user=request.user)
    except RuleViolation as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
    if "list" in request.POST:
        # Back to the list as it was: the same filter, sort and page.
        return redirect(f"{reverse('email:task_list')}?{QueryDict(request.POST['list']).urlencode()}")
    return redirect(task)
