"""发信模板: the two tabs of cards, one template's page, and deleting."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from email_service.mail_templates import queries, services, uses
from email_service.mail_templates.filters import PublicTemplateFilter, TemplateFilter
from email_service.mail_templates.models import Template
from email_service.mail_templates.remote_pictures import has_remote_pictures
from koomessage.common.htmx import render_confirm, render_page
from koomessage.common.paging import paginate
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

SORTS = {"name": "title", "created": "created_at"}


@require_GET
@requires("email_service.list_template")
def template_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = TemplateFilter(request.GET)
    # A card shows why a version was rejected, and nothing of its body.
    own = Template.objects.for_tenant(request.tenant).select_related("version")
    rows = filter_form.narrow(own.defer("version__body", "version__parameters"))
    page = paginate(request, rows, sorts=SORTS, default="-created")
    context = {"page": page, "filter": filter_form, "is_public": False}
    return _cards(request, context)


@require_GET
@requires("email_service.list_template")
def template_public_list(request: ConsoleRequest) -> HttpResponse:
    filter_form = PublicTemplateFilter(request.GET)
    page = paginate(
        request, filter_form.narrow(Template.objects.public()), sorts={"code": "code"}, default="code"
    )
    return _cards(request, {"page": page, "filter": filter_form, "is_public": True})


def _cards(request: ConsoleRequest, context: dict[str, Any]) -> HttpResponse:
    folder = "email_service/mail_templates"
    return render_page(request, f"{folder}/list.html", f"{folder}/_list.html", context)


@require_GET
@requires("email_service.view_template", on=Template)
def template_detail(request: ConsoleRequest, template: Template) -> HttpResponse:
    context = {**_shown(template), "versions": queries.version_lines(template)}
    page, fragment = "email_service/mail_templates/detail.html", "email_service/mail_templates/_preview.html"
    return render_page(request, page, fragment, context)


@require_GET
@requires("email_service.view_template", on=Template)
def template_preview(request: ConsoleRequest, template: Template) -> HttpResponse:
    """What 预览模板 opens: in the dialog, or on a page of its own without scripts."""
    page, fragment = "email_service/mail_templates/preview.html", "email_service/mail_templates/_preview.html"
    return render_page(request, page, fragment, _shown(template))


@require_GET
@requires("email_service.list_template")
def template_public_preview(request: ConsoleRequest, pk: int) -> HttpResponse:
    page, fragment = "email_service/mail_templates/preview.html", "email_service/mail_templates/_preview.html"
    return render_page(request, page, fragment, _shown(queries.public_template(pk)))


def _shown(template: Template) -> dict[str, Any]:
    name = "email:template_frame" if template.tenant_id else "email:template_public_frame"
    return {
        "template": template,
        "version": template.version,
        "frame_url": reverse(name, args=[template.pk]),
        "is_public": template.tenant_id is None,
        "is_draft": False,
        "has_remote_pictures": has_remote_pictures(template.version.body if template.version else ""),
    }


@require_http_methods(["GET", "POST"])
@requires("email_service.delete_template", on=Template)
def template_delete(request: ConsoleRequest, template: Template) -> HttpResponse:
    if request.method == "POST":
        services.delete_template(template, user=request.user)
        messages.success(request, _("The template %(name)s was deleted.") % {"name": template.title})
        return redirect("email:template_list")
    kept = _("Tasks that already use it keep its text and go on as planned.")
    use = uses.find_use(template)
    return render_confirm(
        request,
        title=_("Delete the template"),
        question=_("Delete the template %(name)s (%(code)s)?")
        % {"name": template.title, "code": template.code},
        note=f"{use} {kept}" if use else kept,
        action_url=reverse("email:template_delete", args=[template.pk]),
        back_url=reverse("email:template_list"),
    )
