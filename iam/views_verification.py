"""企业实名认证: the application, its state, and the licence files."""

from pathlib import PurePosixPath

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from iam import queries, services
from iam.forms import VerificationForm
from iam.licences import CONTENT_TYPES
from iam.models import EnterpriseApplication
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation
from koomessage.common.permissions import SIGNED_IN, STAFF, requires
from koomessage.common.requests import ConsoleRequest


@require_http_methods(["GET", "POST"])
@requires(SIGNED_IN)
def verification(request: ConsoleRequest) -> HttpResponse:
    """Show where the application stands, and the form while one may be handed in."""
    is_post = request.method == "POST"
    if is_post and not request.user.is_main:
        raise PermissionDenied
    form = VerificationForm(request.POST if is_post else None, request.FILES if is_post else None)
    if form.is_valid():
        try:
            services.apply_for_verification(tenant=request.tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            messages.success(request, _("Your application has been handed in."))
            return redirect("iam:verification")
    application = queries.latest_application(request.tenant)
    context = {"form": form, "application": application, "main_login": queries.main_login(request.tenant)}
    return render(request, "iam/verification.html", context, status=422 if form.errors else 200)


@require_GET
@requires(SIGNED_IN, on=EnterpriseApplication)
def verification_licence(request: ConsoleRequest, application: EnterpriseApplication) -> HttpResponse:
    """Hand the account's own licence back to its main account."""
    if not request.user.is_main:
        raise PermissionDenied
    return _file(application)


@require_GET
@requires(STAFF)
def licence_review(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show a licence to staff who may see applications."""
    if not request.user.has_perm("iam.view_enterpriseapplication"):
        raise PermissionDenied
    return _file(get_object_or_404(EnterpriseApplication, pk=pk))


def _file(application: EnterpriseApplication) -> HttpResponse:
    """Return the file as what it was judged to be; PDFs are saved, never opened inside the console."""
    kind = PurePosixPath(application.licence.name or "").suffix.lstrip(".")
    try:
        content = uploads.read(application.licence)
    except FileNotFoundError as error:
        raise Http404 from error
    response = HttpResponse(content, content_type=CONTENT_TYPES.get(kind, "application/octet-stream"))
    is_download = kind not in ("jpg", "png")
    disposition = content_disposition_header(is_download, f"licence-{application.pk}.{kind}")
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
