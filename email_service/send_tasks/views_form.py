"""What stands on 新建发送任务 beside the form: the mail's preview, the judge of addresses, the test mail."""

import uuid
from functools import partial
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from email_service.addresses.models import Address
from email_service.domains.queries import losses_of
from email_service.mail_templates import rendering
from email_service.mail_templates.models import Template
from email_service.mail_templates.views_frame import frame
from email_service.send_tasks import columns, limits, previews, queries, reasons, services_test_mail
from email_service.send_tasks.forms import TaskForm, TestMailForm
from email_service.send_tasks.models import Task
from email_service.send_tasks.views_test_mail import sent_notice
from iam.models import Tenant
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import link_of, render_page, wants_fragment
from koomessage.common.mailbox import BadAddress, normalise
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

FOLDER = "email_service/send_tasks"
MOST_JUDGED = 100


def form_context(request: ConsoleRequest, form: TaskForm) -> dict[str, Any]:
    """Return what the page needs to show this form."""
    tenant = request.tenant
    has_template = form.fields["template"].queryset.exists()  # type: ignore[attr-defined]
    has_address = form.fields["address"].queryset.exists()  # type: ignore[attr-defined]
    return {
        "form": form,
        "mail": previews.mail_preview(
            template=chosen_template(tenant, form["template"].value()),
            address=_chosen_address(tenant, form["address"].value()),
            subject=str(form["subject"].value() or ""),
            values=_typed_values(request),
        ),
        "has_template": has_template,
        "has_address": has_address,
        "can_submit": has_template and has_address,
        "losses": partial(losses_of, tenant),
        "limits": limits,
        "lost_files": bool(request.FILES) and not wants_fragment(request),
        "test_key": uuid.uuid4(),
        "test_form": None,
        "test_refusal": None,
        "test_refusal_link": None,
        "test_sent": "",
    }


def chosen_template(tenant: Tenant, choice: Any) -> Template | None:
    """Return the chosen template, None where it is none the tenant may send."""
    rows = queries.sendable_templates(tenant).select_related("version")
    return rows.filter(pk=_number(choice)).first()


def _chosen_address(tenant: Tenant, choice: Any) -> Address | None:
    return queries.usable_addresses(tenant).filter(pk=_number(choice)).first()


def _number(choice: Any) -> int:
    text = str(getattr(choice, "pk", choice) or "")
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def _typed_values(request: ConsoleRequest) -> dict[str, str]:
    """Return the sample values by parameter; others' names mean nothing to a template."""
    fields = request.POST if request.method == "POST" else request.GET
    return {
        name.removeprefix(previews.VALUE_PREFIX): str(value)[: columns.LONGEST_VALUE]
        for name, value in fields.items()
        if name.startswith(previews.VALUE_PREFIX)
    }


def _as_typed(request: ConsoleRequest) -> TaskForm:
    """Return the form as it was posted, without judging it."""
    return TaskForm(tenant=request.tenant, initial=request.POST.dict())


@require_http_methods(["GET", "POST"])
@requires("email_service.add_task", keeps=False)
def task_preview(request: ConsoleRequest) -> HttpResponse:
    """Show sender and subject as chosen now; with another template also its parameters and its body."""
    if request.method == "GET":
        return redirect("email:task_add")  # without scripts the address is that of a page
    context = form_context(request, _as_typed(request))
    mail = context["mail"]
    shown = str(mail.template.pk) if mail.template else ""
    context["is_other_template"] = request.POST.get("samples_of", "") != shown
    return render_page(request, f"{FOLDER}/add.html", f"{FOLDER}/_preview_parts.html", context)


@require_http_methods(["GET", "POST"])
@requires("email_service.add_task", keeps=False)
def task_frame(request: ConsoleRequest) -> HttpResponse:
    """The mail's body with the sample values, for the sandboxed frame; who may send it may read it."""
    fields = request.POST if request.method == "POST" else request.GET
    if not fields.get("template"):
        return frame("")
    template = chosen_template(request.tenant, fields.get("template"))
    if template is None or template.version is None:
        raise Http404
    return frame(rendering.preview(template.version, _typed_values(request)))


@require_POST
@requires("email_service.add_task", keeps=False)
def task_judge(request: ConsoleRequest) -> HttpResponse:
    """Judge typed recipients as the service will; two spellings of one address have the same key."""
    texts = request.POST.getlist("text")[:MOST_JUDGED]
    return JsonResponse({"judged": [_verdict(text) for text in texts]})


def _verdict(text: str) -> dict[str, str]:
    try:
        return {"text": text, "key": normalise(text).key, "problem": ""}
    except BadAddress:
        return {"text": text, "key": "", "problem": str(reasons.ROW["bad_address"])}


@require_http_methods(["GET", "POST"])
@requires("email_service.add_task", keeps=False)
def task_test(request: ConsoleRequest) -> HttpResponse:
    """Send the mail as it is chosen now to the user; the form stays as it is."""
    if request.method == "GET":
        return redirect("email:task_add")
    form = TestMailForm(request.POST, tenant=request.tenant)
    task, refusal = _sent(request, form)
    context = {
        **form_context(request, _as_typed(request)),
        "test_form": form,
        "test_refusal": refusal,
        "test_refusal_link": link_of(refusal, request) if refusal else None,
        "test_sent": sent_notice(request, task) if task else "",
    }
    if not task:
        # The next attempt is the same mail, until one is sent.
        context["test_key"] = form.cleaned_data.get("test_key") or context["test_key"]
    page, fragment = f"{FOLDER}/add.html", f"{FOLDER}/_test_result.html"
    return render_page(request, page, fragment, context, status=200 if task else 422)


def _sent(request: ConsoleRequest, form: TestMailForm) -> tuple[Task | None, RuleViolation | None]:
    if not form.is_valid():
        return None, None
    chosen = {name: form.cleaned_data[name] for name in ("template", "address", "subject")}
    try:
        return services_test_mail.send_mail_of_form(
            tenant=request.tenant,
            user=request.user,
            values=_typed_values(request),
            submission_key=form.cleaned_data["test_key"],
            **chosen,
        ), None
    except RuleViolation as violation:
        return None, violation
