"""The form 新建模板: new, edited, copied, filled from an HTML file."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from email_service.mail_templates import queries, services
from email_service.mail_templates.forms import TemplateForm
from email_service.mail_templates.html_files import MAX_BYTES, read_html
from email_service.mail_templates.models import BodyType, Template, TemplateVersion
from email_service.mail_templates.parameters import MAX_PARAMETERS, read_parameters
from email_service.mail_templates.rendering import tidy_html
from koomessage.common.errors import RuleViolation
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest


@require_http_methods(["GET", "POST"])
@requires("email_service.add_template")
def template_add(request: ConsoleRequest) -> HttpResponse:
    return _answer(request, None)


@require_http_methods(["GET", "POST"])
@requires("email_service.change_template", on=Template)
def template_edit(request: ConsoleRequest, template: Template) -> HttpResponse:
    return _answer(request, template)


@require_GET
@requires("email_service.add_template", on=Template)
def template_copy(request: ConsoleRequest, template: Template) -> HttpResponse:
    """新建模板 filled in; nothing is stored until it is submitted."""
    return _copy(request, template.version)


@require_GET
@requires("email_service.add_template")
def template_public_copy(request: ConsoleRequest, pk: int) -> HttpResponse:
    return _copy(request, queries.public_template(pk).version)


def _copy(request: ConsoleRequest, version: TemplateVersion | None) -> HttpResponse:
    return _page(request, TemplateForm(initial=TemplateForm.initial_of(version)), None)


def _answer(request: ConsoleRequest, template: Template | None) -> HttpResponse:
    if request.method == "POST" and request.POST.get("action") == "upload":
        return _fill_from_file(request, template)
    version = template.version if template else None
    form = TemplateForm(request.POST or None, initial=TemplateForm.initial_of(version))
    if form.is_valid():
        try:
            saved = services.save_template(
                tenant=request.tenant, user=request.user, template=template, **form.cleaned_data
            )
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            _report(request, saved)
            return redirect("email:template_list")
    return _page(request, form, template)


def _report(request: ConsoleRequest, saved: services.Saved) -> None:
    if saved.template.status == Template.Status.PENDING:
        sentence = _("The template %(name)s was submitted and waits for review.")
    else:
        sentence = _("The template %(name)s was saved and approved; it can be used in send tasks.")
    messages.success(request, sentence % {"name": saved.template.title})
    _warn_of_loss(request, saved.removed)


def _warn_of_loss(request: ConsoleRequest, removed: tuple[str, ...]) -> None:
    if removed:
        shown = ", ".join(removed[:12]) + (" …" if len(removed) > 12 else "")
        messages.warning(request, _("Not allowed in a mail and left out: %(parts)s.") % {"parts": shown})


def _fill_from_file(request: ConsoleRequest, template: Template | None) -> HttpResponse:
    """Show the form again with the body replaced by the uploaded file's; nothing is stored yet."""
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in ("title", "body_type", "body")}
    typed["can_unsubscribe"] = "can_unsubscribe" in request.POST
    upload = request.FILES.get("html_file")
    try:
        if upload is None:
            raise RuleViolation(gettext_lazy("Choose an HTML file first."))
        # One byte over the limit is enough to refuse the rest unread.
        body, removed = tidy_html(read_html(upload.name or "", upload.read(MAX_BYTES + 1)))
    except RuleViolation as refusal:
        return _page(request, TemplateForm(initial=typed), template, upload_error=str(refusal.message))
    _warn_of_loss(request, removed)
    notice = format_lazy(
        gettext_lazy("The body now holds the file {name}. Check it, then submit."), name=upload.name
    )
    form = TemplateForm(initial={**typed, "body": body, "body_type": BodyType.RICH})
    return _page(request, form, template, upload_notice=str(notice))


def _page(
    request: ConsoleRequest, form: TemplateForm, template: Template | None, **more: str
) -> HttpResponse:
    context = {
        "form": form,
        "template": template,
        "action_url": reverse("email:template_edit", args=[template.pk])
        if template
        else reverse("email:template_add"),
        "names": read_parameters(form["body"].value() or "").names,
        "most": MAX_PARAMETERS,
        "is_sensitive": queries.is_sensitive(request.tenant),
        "upload_error": more.get("upload_error", ""),
        "upload_notice": more.get("upload_notice", ""),
    }
    status = 422 if form.errors or more.get("upload_error") else 200
    return render(request, "email_service/mail_templates/form.html", context, status=status)
