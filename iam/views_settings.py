"""安全设置: operation protection and the account's time zone."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from iam import confirmation, services
from iam.forms import SettingsForm
from koomessage.common.errors import RuleViolation
from koomessage.common.permissions import SIGNED_IN, requires
from koomessage.common.requests import ConsoleRequest


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@requires(SIGNED_IN)
def settings_edit(request: ConsoleRequest) -> HttpResponse:
    if not request.user.is_main:
        raise PermissionDenied
    form = SettingsForm(request.POST if request.method == "POST" else None, tenant=request.tenant)
    if form.is_valid():
        try:
            # Also here a wrong password counts towards the lock of the login.
            if request.tenant.operation_protection and not form.cleaned_data["operation_protection"]:
                confirmation.confirm(request, "iam.settings", form.cleaned_data["password"])
            services.change_settings(tenant=request.tenant, user=request.user, **form.cleaned_data)
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            messages.success(request, _("The settings are saved."))
            return redirect("iam:settings")
    return render(
        request, "iam/settings.html", {"form": form, "tab": "settings"}, status=422 if form.errors else 200
    )
