"""Changing a password, and getting a new one by mail."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from iam import jobs, links, services_password
from iam.forms import EmailForm, NewPasswordForm, PasswordChangeForm
from koomessage.common.permissions import SIGNED_IN, public, requires
from koomessage.common.requests import ConsoleRequest


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("current_password", "password", "password_again")
@requires(SIGNED_IN)
def password_change(request: ConsoleRequest) -> HttpResponse:
    """Change one's own password; this session stays, all others end."""
    form = PasswordChangeForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        services_password.change_password(user=request.user, password=form.cleaned_data["password"])
        update_session_auth_hash(request, request.user)
        messages.success(request, _("Your password is changed. Everywhere else you have been signed out."))
        return redirect("console:overview")
    return render(request, "iam/password_change.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@public
def password_forgotten(request: HttpRequest) -> HttpResponse:
    """Mail a link; answer and time are the same whether or not the address is known: a job looks."""
    form = EmailForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        jobs.mail_password_reset.delay_on_commit(form.cleaned_data["email"], get_language())
        return render(request, "iam/password_sent.html", {"email": form.cleaned_data["email"]})
    return render(request, "iam/password_forgotten.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password", "password_again")
@public
def password_reset(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Choose a new password by the mailed link, which works once."""
    user = links.read_reset(uid, token)
    if user is None:
        return render(request, "iam/password_expired.html", status=410)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        services_password.reset_password(user=user, password=form.cleaned_data["password"])
        messages.success(request, _("Your password is changed. Sign in with the new one."))
        return redirect("iam:login")
    context = {"form": form, "person": user}
    return render(request, "iam/password_reset.html", context, status=422 if form.errors else 200)
