"""Drafts: previews before anything is stored, and large bodies while a job cleans them."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from email_service.mail_templates import services_drafts
from email_service.mail_templates.forms import TemplateForm
from email_service.mail_templates.models import BodyType, Template, TemplateDraft, TemplateVersion
from email_service.mail_templates.parameters import read_parameters
from email_service.mail_templates.remote_pictures import has_remote_pictures
from email_service.mail_templates.rendering import Draft
from email_service.mail_templates.views_form import report
from email_service.mail_templates.views_frame import frame, show_version
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page, wants_fragment
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

FOLDER = "email_service/mail_templates"


@require_GET
@requires("email_service.view_template", on=TemplateDraft)
def draft_detail(request: ConsoleRequest, draft: TemplateDraft) -> HttpResponse:
    """Show the progress, asking again each second, and where it leads: the form, the preview, the template."""
    is_done = draft.stage == TemplateDraft.Stage.DONE
    if is_done and draft.purpose == TemplateDraft.Purpose.FILL:
        return redirect(_form_of(draft))
    if is_done and draft.purpose == TemplateDraft.Purpose.VIEW:
        return _preview(request, draft)
    context = {"draft": draft, "form_url": _form_of(draft)}
    answer = render_page(request, f"{FOLDER}/saving.html", f"{FOLDER}/_saving.html", context)
    if draft.is_open and not request.htmx:
        answer["Refresh"] = "2"  # for browsers without scripts
    return answer


def _preview(request: ConsoleRequest, draft: TemplateDraft) -> HttpResponse:
    if wants_fragment(request):
        return redirect("email:draft_detail", pk=draft.pk)
    context = {
        "template": draft,
        "version": _mail_of(draft),
        "frame_url": reverse("email:draft_frame", args=[draft.pk]),
        "is_public": False,
        "is_draft": True,
        "has_remote_pictures": has_remote_pictures(draft.body),
    }
    return render(request, f"{FOLDER}/preview.html", context)


def _mail_of(draft: TemplateDraft) -> Draft:
    names = read_parameters(draft.body).names
    return Draft(draft.body_type, draft.body, names, draft.can_unsubscribe, tuple(draft.removed))


@require_GET
@requires("email_service.view_template", on=TemplateDraft)
def draft_frame(request: ConsoleRequest, draft: TemplateDraft) -> HttpResponse:
    """The mail itself, once it is clean."""
    if draft.stage != TemplateDraft.Stage.DONE:
        return redirect("email:draft_detail", pk=draft.pk)
    return show_version(request, _mail_of(draft))


@require_POST
@requires("email_service.view_template", keeps=False)
def template_draft(request: ConsoleRequest) -> HttpResponse:
    """预览 before 提交: what the form holds, as a mail in a tab of its own; no template is stored."""
    form = TemplateForm(request.POST)
    form.is_valid()
    typed = form.cleaned_data
    try:
        draft = services_drafts.view_draft(
            tenant=request.tenant,
            user=request.user,
            title=typed.get("title") or "",
            body_type=typed.get("body_type") or BodyType.RICH,
            body=typed.get("body") or "",
            can_unsubscribe=bool(typed.get("can_unsubscribe")),
        )
    except RuleViolation as refusal:
        page = render_to_string(f"{FOLDER}/draft_refused.html", {"sentence": refusal.message})
        return frame(page, status=422)
    return redirect("email:draft_detail", pk=draft.pk)


def _form_of(draft: TemplateDraft) -> str:
    edited = draft.template_id
    form = reverse("email:template_edit", args=[edited]) if edited else reverse("email:template_add")
    return f"{form}?draft={draft.pk}"


@require_http_methods(["GET", "POST"])
@requires("email_service.change_template", on=Template)
def template_restore(request: ConsoleRequest, template: Template, number: int) -> HttpResponse:
    """Make an earlier version the newest one, after asking."""
    version = get_object_or_404(TemplateVersion, template=template, number=number)
    refusal = ""
    if request.method == "POST":
        try:
            return report(request, services_drafts.restore_version(version, user=request.user))
        except RuleViolation as violation:
            refusal = str(violation.message)
    return render_confirm(
        request,
        title=_("Restore the version"),
        question=_("Make version %(number)s of %(name)s the newest one?")
        % {"number": number, "name": template.title},
        note=_("Its text becomes a new version; the others stay in the history, and tasks keep theirs."),
        action_url=reverse("email:template_restore", args=[template.pk, number]),
        back_url=template.get_absolute_url(),
        is_danger=False,
        refusal=refusal,
    )
