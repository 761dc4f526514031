"""A test mail to oneself: an ordinary task with one recipient and a text of the platform's own."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from email_service.addresses.models import Address
from email_service.mail_templates.hidden import hidden_version
from email_service.mail_templates.models import TemplateVersion
from email_service.send_tasks import services
from email_service.send_tasks.models import Task
from iam.models import Tenant, User
from koomessage.common.errors import Link, RuleViolation

FOLDER = Path(__file__).with_name("built_in")
# Language -> the template ID that lists of messages show, and the file.
TEXTS = {
    "zh-hans": ("TEST-ZH", "test_mail_zh_hans.html"),
    "en": ("TEST-EN", "test_mail_en.html"),
}


@transaction.atomic
def send_test_mail(
    *, tenant: Tenant, user: User, address: Address, submission_key: UUID, subject: str = ""
) -> Task:
    """Send the user a mail from the address, charged and recorded like any other.

    The same submission_key always answers the same task. Raises RuleViolation where a task would be
    refused too, where the user has no mailbox, and after TEST_MAILS_AN_HOUR.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    known = Task.objects.for_tenant(tenant).filter(submission_key=submission_key).first()
    if known is not None:
        return known
    refusal = find_obstacle(address, user)
    if refusal:
        raise refusal
    _judge_number(tenant, user)
    return services.submit_task(
        tenant=tenant,
        user=user,
        name=_("Test mail"),
        subject=subject or _("Test mail from the console"),
        template=None,
        hidden=_text(),
        address=address,
        submission_key=submission_key,
        recipients=[user.email],
    )


def find_obstacle(address: Address, user: User) -> RuleViolation | None:
    """Return what must be done before this user can get a test mail from the address, None where nothing."""
    if not user.email and user.is_main:
        return RuleViolation(
            gettext_lazy("The main account has no e-mail address. Ask the platform's operator to enter it.")
        )
    if not user.email:
        return RuleViolation(
            gettext_lazy(
                "Your user has no e-mail address. Whoever manages the users of your account can enter it."
            ),
            link=Link(
                reverse("iam:user_edit", args=[user.pk]), gettext_lazy("Enter it"), "iam.change_user", user
            ),
        )
    if not address.domain.is_verified:
        return RuleViolation(
            gettext_lazy("The domain of this address is not verified. Verify it first."),
            link=Link(
                address.domain.get_absolute_url(),
                gettext_lazy("Open the domain"),
                "email_service.view_domain",
                address.domain,
            ),
        )
    return None


def _judge_number(tenant: Tenant, user: User) -> None:
    sent = Task.objects.for_tenant(tenant).filter(
        created_by=user,
        created_at__gt=timezone.now() - timedelta(hours=1),
        template_code__in=[code for code, _file in TEXTS.values()],
    )
    if sent.count() >= settings.TEST_MAILS_AN_HOUR:
        sentence = gettext_lazy(
            "You may send {number} test mails an hour. Wait a little, then send the next."
        )
        raise RuleViolation(format_lazy(sentence, number=settings.TEST_MAILS_AN_HOUR))


def _text() -> TemplateVersion:
    """Return the text in the user's language."""
    code, name = TEXTS.get(get_language() or "", TEXTS["en"])
    return hidden_version(code=code, title=_("Test mail"), body=(FOLDER / name).read_text(encoding="utf-8"))
