"""The platform's mail about a review: plain text, by Django's e-mail framework and never by the engine."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from email_service.mail_templates.models import Template, TemplateVersion


def send_review(version: TemplateVersion) -> None:
    """Tell the author, else the account, whether the version may be sent, and why not."""
    address = _address(version)
    if not address:
        return
    is_approved = version.status == Template.Status.APPROVED
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Your template has passed the review: %(title)s") if is_approved else _(
            "Your template has not passed the review: %(title)s"
        )  # fmt: skip
        name = "approved" if is_approved else "rejected"
        context = {
            "version": version,
            "link": settings.BASE_URL + version.template.get_absolute_url(),
            "platform": settings.PLATFORM_NAME,
        }
        body = render_to_string(f"email_service/mail_templates/mail/{name}.txt", context)
        send_mail(subject % {"title": " ".join(version.title.split())}, body, None, [address])


def _address(version: TemplateVersion) -> str:
    """The author may be gone, have no address, or be staff who wrote for the account: then it is the account's."""
    author, tenant = version.author, version.template.tenant
    if tenant is None:
        return ""
    is_theirs = author is not None and author.is_active and author.tenant_id == tenant.pk
    return (author.email if author and is_theirs else "") or tenant.email
