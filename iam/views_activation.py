"""开通: the agreements, and activating the service."""

from axes.helpers import get_client_ip_address
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from iam import queries, services
from iam.agreements import AGREEMENTS, SERVICE, SMS
from iam.forms import ActivationForm
from koomessage.common.errors import RuleViolation
from koomessage.common.permissions import SIGNED_IN, public, requires
from koomessage.common.requests import ConsoleRequest


@require_GET
@public
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    found = AGREEMENTS.get(slug)
    if found is None:
        raise Http404
    context = {"agreement": found, "text": found.template(get_language() or "")}
    return render(request, "iam/agreement.html", context)


@require_http_methods(["GET", "POST"])
@requires(SIGNED_IN)
def activate(request: ConsoleRequest) -> HttpResponse:
    """Activate the account's service, once; others see what stands in the way and who can remove it."""
    if request.tenant.is_activated:
        return redirect("console:overview")
    if request.method == "POST" and not request.user.is_main:
        raise PermissionDenied
    form = ActivationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        address = get_client_ip_address(request)
        try:
            services.activate_tenant(tenant=request.tenant, user=request.user, ip_address=address)
        except RuleViolation as refusal:
            form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("The service is activated."))
            return redirect("console:overview")
    context = {"form": form, "service": SERVICE, "sms": SMS, "main_login": queries.main_login(request.tenant)}
    return render(request, "iam/activate.html", context, status=422 if form.errors else 200)
