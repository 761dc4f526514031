"""Signing in and out."""

from axes.helpers import get_client_ip_address
from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from iam import services_password
from iam.forms import LoginForm
from koomessage.common import kept_forms
from koomessage.common.permissions import public


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password")
@public
def login(request: HttpRequest) -> HttpResponse:
    """Sign in; unknown names, wrong passwords and closed logins get one and the same answer."""
    if request.user.is_authenticated:
        return redirect(kept_forms.page_after_sign_in(request) or _target(request))
    form = LoginForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = auth.authenticate(
            request, username=form.cleaned_data["login"], password=form.cleaned_data["password"]
        )
        if user is not None:
            auth.login(request, user)
            services_password.note_sign_in(user=user, ip_address=get_client_ip_address(request))
            return redirect(kept_forms.page_after_sign_in(request) or _target(request))
        form.add_error(None, _("The account, user name or password is wrong, or this user may not sign in."))
    context = {
        "form": form,
        "next": request.GET.get("next", request.POST.get("next", "")),
        "kept": kept_forms.has_kept(request),
    }
    return render(request, "iam/login.html", context, status=422 if form.errors else 200)


@require_POST
@public
def logout(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("iam:login")


def locked_out(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """Answer a sign-in after too many failures (named in the settings, called by django-axes)."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    response = render(request, "iam/locked_out.html", {"minutes": minutes}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def _target(request: HttpRequest) -> str:
    """Return where to go after signing in: `next` where it is an address of ours, else home."""
    overview = reverse("console:overview")
    target = request.POST.get("next") or request.GET.get("next") or overview
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = overview
    # Staff have no account, so the overview is not for them.
    is_staff = getattr(request.user, "is_staff", False)
    return reverse("admin:index") if is_staff and target == overview else target
