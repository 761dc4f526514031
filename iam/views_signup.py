"""Opening an enterprise account."""

from axes.helpers import get_client_ip_address
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from iam import links, services_signup
from iam.forms import EmailForm, SignUpForm
from koomessage.common.errors import RuleViolation
from koomessage.common.permissions import public

ADDRESS = "signup_email"


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password", "password_again")
@public
def signup(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("console:overview")
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services_signup.sign_up(
                ip_address=get_client_ip_address(request), language=get_language(), **form.cleaned_data
            )
        except RuleViolation as refusal:
            form.add_error(refusal.field, str(refusal.message))
        else:
            request.session[ADDRESS] = form.cleaned_data["email"]
            return redirect("iam:signup_sent")
    return render(request, "iam/signup.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@public
def signup_sent(request: HttpRequest) -> HttpResponse:
    context = {"email": request.session.get(ADDRESS, ""), "days": links.CONFIRMATION_DAYS}
    return render(request, "iam/signup_sent.html", context)


@require_http_methods(["GET", "POST"])
@public
def signup_resend(request: HttpRequest) -> HttpResponse:
    """Mail the confirmation link again; the answer is the same whether or not somebody waits for it."""
    form = EmailForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        services_signup.resend_confirmation(language=get_language(), **form.cleaned_data)
        request.session[ADDRESS] = form.cleaned_data["email"]
        messages.success(request, _("If an account waits for this address, the mail has been sent again."))
        return redirect("iam:signup_sent")
    return render(request, "iam/signup_resend.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@never_cache
@public
def signup_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show who is about to be confirmed; only the button does it, for mail scanners follow links."""
    user = links.read_confirmation(token)
    if user is None:
        return render(request, "iam/signup_expired.html", status=410)
    if request.method == "POST":
        services_signup.confirm_email(user)
        messages.success(request, _("Your e-mail is confirmed. Sign in to go on."))
        return redirect("iam:login")
    return render(request, "iam/signup_confirm.html", {"person": user})
