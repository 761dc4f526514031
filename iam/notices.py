"""The platform's own mail, by Django's e-mail framework and never by the engine: plain text."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from iam import audit, links
from iam.models import AuditEntry, EnterpriseApplication, Tenant, User

RESETS_AN_HOUR = 5
RESET_ACTION = "iam:password:forgotten"


def send_confirmation(user: User, language: str) -> None:
    """Mail the link that opens a new account."""
    with translation.override(language):
        subject = _("Confirm your e-mail for %(platform)s") % {"platform": settings.PLATFORM_NAME}
        _send(subject, "confirmation", user.email, user=user, link=links.confirmation_link(user))


def send_reset_links(email: str, language: str) -> None:
    """Mail each login that has this address a link to choose a new password; a few an hour, no more."""
    for user in User.objects.filter(email__iexact=email, is_active=True).select_related("tenant"):
        hour = timezone.now() - timedelta(hours=1)
        recent = AuditEntry.objects.filter(action=RESET_ACTION, at__gt=hour, user=user).count()
        if recent >= RESETS_AN_HOUR or not user.has_usable_password():
            continue
        audit.record(tenant=user.tenant, user=user, action=RESET_ACTION, target=user.login)
        with translation.override(language):
            subject = _("Choose a new password for %(platform)s") % {"platform": settings.PLATFORM_NAME}
            _send(subject, "password_reset", user.email, user=user, link=links.reset_link(user))


def send_decision(application: EnterpriseApplication, language: str) -> None:
    """Tell the account what became of its enterprise verification."""
    with translation.override(language):
        if application.status == EnterpriseApplication.Status.APPROVED:
            subject = _("Your enterprise verification has been approved")
            name = "verification_approved"
        else:
            subject = _("Your enterprise verification has been rejected")
            name = "verification_rejected"
        page = "iam:activate" if name == "verification_approved" else "iam:verification"
        link = settings.BASE_URL + reverse(page)
        _send(subject, name, application.tenant.email, application=application, link=link)


def send_to_account(tenant: Tenant, subject: Promise, template: str, **context: Any) -> None:
    """Mail the account about something that no person asked for: in our language, with times of its zone."""
    if not tenant.email:
        return
    with translation.override(settings.LANGUAGE_CODE), timezone.override(tenant.time_zone):
        text = render_to_string(template, {**context, "tenant": tenant, "platform": settings.PLATFORM_NAME})
        send_mail(str(subject), text, None, [tenant.email])


def _send(subject: str, name: str, address: str, **context: Any) -> None:
    if not address:
        return
    context["platform"] = settings.PLATFORM_NAME
    send_mail(subject, render_to_string(f"iam/mail/{name}.txt", context), None, [address])
