"""What stands in the sandboxed frames: the mail itself, under a policy of its own."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from email_service.mail_templates import queries
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.mail_templates.rendering import Mail, preview
from koomessage.common.permissions import requires
from koomessage.common.requests import ConsoleRequest

# A mail may show our own pictures and inline styles, and nothing else: no script, no form, no other host.
POLICY = (
    f"default-src 'none'; img-src 'self' data: {settings.PUBLIC_URL}; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox"
)
VALUE_PREFIX = "value-"
MAX_VALUE = 1000


def frame(document: str, *, status: int = 200) -> HttpResponse:
    """Answer with a whole document that only our own pages may frame, and that can run nothing."""
    response = HttpResponse(document, status=status)
    response["Content-Security-Policy"] = POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_GET
@requires("email_service.view_template", on=Template)
def template_frame(request: ConsoleRequest, template: Template) -> HttpResponse:
    """The current version, or the one of ?version=, with the reader's values where given."""
    number = request.GET.get("version", "")
    if not number.isdecimal():
        return show_version(request, template.version)
    return show_version(
        request, get_object_or_404(TemplateVersion, template=template, number=int(number[:9]))
    )


@require_GET
@requires("email_service.list_template")
def template_public_frame(request: ConsoleRequest, pk: int) -> HttpResponse:
    return show_version(request, queries.public_template(pk).version)


def show_version(request: HttpRequest, version: Mail | None) -> HttpResponse:
    """Show a version or a draft with sample values, or those of ?value-name=; as text with ?part=text."""
    if version is None:
        return frame("")
    values = {name: request.GET.get(VALUE_PREFIX + name, "")[:MAX_VALUE] for name in version.parameters}
    return frame(preview(version, values, as_text=request.GET.get("part") == "text"))
