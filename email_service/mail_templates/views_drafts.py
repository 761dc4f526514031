"""While a job cleans a large body: how far it has come, and where that leads."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from email_service.mail_templates import services_drafts
from email_service.mail_templates.models import Template, TemplateDraft, TemplateVersion
from email_service.mail_templates.parameters import read_parameters
from email_service.mail_templates.rendering import Draft, preview
from email_service.mail_templates.views_form import report
from email_service.mail_templates.views_frame import frame
from koomessage.common.errors import RuleViolation
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

FOLDER = "email_service/mail_templates"


@require_GET
@requires("email_service.view_template", on=TemplateDraft)
def draft_detail(request: ConsoleRequest, draft: TemplateDraft) -> HttpResponse:
    """Show the progress, asking again each second; a filled form and a refusal lead back to the form."""
    if draft.stage == TemplateDraft.Stage.DONE and draft.purpose != TemplateDraft.Purpose.SAVE:
        is_view = draft.purpose == TemplateDraft.Purpose.VIEW
        return redirect("email:draft_frame", pk=draft.pk) if is_view else redirect(_form_of(draft))
    context = {"draft": draft, "form_url": _form_of(draft)}
    answer = render_page(request, f"{FOLDER}/saving.html", f"{FOLDER}/_saving.html", context)
    if draft.is_open and not request.htmx:
        answer["Refresh"] = "2"  # for browsers without scripts
    return answer


@require_GET
@requires("email_service.view_template", on=TemplateDraft)
def draft_frame(request: ConsoleRequest, draft: TemplateDraft) -> HttpResponse:
    """The preview of a large draft, once it is clean."""
    if draft.stage != TemplateDraft.Stage.DONE:
        return redirect("email:draft_detail", pk=draft.pk)
    names = read_parameters(draft.body).names
    return frame(preview(Draft(draft.body_type, draft.body, names, draft.can_unsubscribe)))


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
