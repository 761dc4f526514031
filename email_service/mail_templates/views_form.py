"""The form 新建模板: new, edited, copied, filled from an HTML file or from what a job made of one."""

from typing import Any

from csp.constants import UNSAFE_INLINE
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from email_service.mail_templates import queries, services_drafts
from email_service.mail_templates.drafts import is_heavy
from email_service.mail_templates.forms import TemplateForm
from email_service.mail_templates.html_files import MAX_BYTES, read_html
from email_service.mail_templates.models import BodyType, Template, TemplateDraft, TemplateVersion
from email_service.mail_templates.parameters import MAX_PARAMETERS, read_parameters
from email_service.mail_templates.rendering import tidy_html
from email_service.mail_templates.storing import Saved
from koomessage.common.errors import RuleViolation
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

# The editor paints by style attributes; no other page needs them.
EDITOR_POLICY = {"style-src": [UNSAFE_INLINE], "img-src": [settings.PUBLIC_URL]}
_NOT_UPLOADED = gettext_lazy(
    "Nothing was submitted: the file %s was chosen, but not uploaded. Choose it again and press File upload, or "
    "submit without it."
)


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
    if request.GET.get("draft") and request.method == "GET":
        return _take_up(request, template)
    initial = TemplateForm.initial_of(template.version if template else None)
    form = TemplateForm(request.POST or None, initial=initial)
    if chosen := request.FILES.get("html_file"):
        # What is submitted without it would not be what its author means.
        return _page(request, form, template, upload_error=_NOT_UPLOADED % chosen.name)
    if form.is_valid():
        try:
            saved = services_drafts.submit_template(
                tenant=request.tenant, user=request.user, template=template, **form.cleaned_data
            )
        except RuleViolation as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            return report(request, saved)
    return _page(request, form, template)


def report(request: ConsoleRequest, saved: Saved | TemplateDraft) -> HttpResponse:
    """Say what became of a submitted template, or lead to where that is said in a moment."""
    if isinstance(saved, TemplateDraft):
        return redirect("email:draft_detail", pk=saved.pk)
    if saved.template.status == Template.Status.PENDING:
        sentence = _("The template %(name)s was submitted and waits for review.")
    else:
        sentence = _("The template %(name)s was saved and approved; it can be used in send tasks.")
    messages.success(request, sentence % {"name": saved.template.title})
    if saved.removed:
        messages.warning(request, _left_out(saved.removed))
    return redirect("email:template_list")


def _left_out(removed: tuple[str, ...]) -> str:
    shown = ", ".join(removed[:12]) + (" …" if len(removed) > 12 else "")
    return _("Not allowed in a mail and left out: %(parts)s.") % {"parts": shown}


def _fill_from_file(request: ConsoleRequest, template: Template | None) -> HttpResponse:
    """Show the form again with the body replaced by the uploaded file's; nothing is stored yet."""
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in ("title", "body_type", "body")}
    typed["can_unsubscribe"] = "can_unsubscribe" in request.POST
    upload = request.FILES.get("html_file")
    try:
        if upload is None:
            raise RuleViolation(gettext_lazy("Choose an HTML file first."))
        # One byte over the limit is enough to refuse the rest unread.
        body = read_html(upload.name or "", upload.read(MAX_BYTES + 1))
        if is_heavy(body):
            return report(request, _begin_filling(request, template, typed, body))
        body, removed = tidy_html(body)
    except RuleViolation as refusal:
        return _page(request, TemplateForm(initial=typed), template, upload_error=str(refusal.message))
    notice = format_lazy(
        gettext_lazy("The body now holds the file {name}. Check it, then submit."), name=upload.name
    )
    form = TemplateForm(initial={**typed, "body": body, "body_type": BodyType.RICH})
    return _page(request, form, template, upload_notice=str(notice), removed=removed)


def _begin_filling(
    request: ConsoleRequest, template: Template | None, typed: dict[str, Any], body: str
) -> TemplateDraft:
    return services_drafts.begin_draft(
        tenant=request.tenant,
        user=request.user,
        template=template,
        purpose=TemplateDraft.Purpose.FILL,
        title=typed["title"][:300],
        body_type=BodyType.RICH,
        body=body,
        former_body=typed["body"],
        can_unsubscribe=typed["can_unsubscribe"],
    )


def _take_up(request: ConsoleRequest, template: Template | None) -> HttpResponse:
    """Show the form with what a job made of a large body, or with why it was refused."""
    draft = queries.draft_of(request.tenant, request.GET["draft"])
    names = ("title", "body_type", "body", "can_unsubscribe")
    initial = {name: getattr(draft, name) for name in names}
    if draft.refusal and draft.purpose == TemplateDraft.Purpose.FILL:
        initial["body"] = draft.former_body  # a refused file replaces nothing
    form = TemplateForm(initial=initial)
    if draft.refusal:
        return _page(request, form, template, upload_error=draft.refusal)
    notice = _("The body now holds the uploaded file. Check it, then submit.")
    return _page(request, form, template, upload_notice=notice, removed=tuple(draft.removed))


def _page(
    request: ConsoleRequest,
    form: TemplateForm,
    template: Template | None,
    *,
    upload_error: str = "",
    upload_notice: str = "",
    removed: tuple[str, ...] = (),
) -> HttpResponse:
    own = reverse("email:template_edit", args=[template.pk]) if template else reverse("email:template_add")
    context = {
        "form": form,
        "template": template,
        "action_url": own,
        "names": read_parameters(form["body"].value() or "").names,
        "most": MAX_PARAMETERS,
        "is_sensitive": queries.is_sensitive(request.tenant),
        "upload_error": upload_error,
        "upload_notice": upload_notice,
        "left_out": _left_out(removed) if removed else "",
    }
    status = 422 if form.errors or upload_error else 200
    page = render(request, "email_service/mail_templates/form.html", context, status=status)
    page._csp_update = EDITOR_POLICY  # type: ignore[attr-defined]  # what django-csp's decorator sets
    return page
