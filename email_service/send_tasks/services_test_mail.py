"""A test mail to oneself: an ordinary task with one recipient, and the platform's own text or the one chosen."""

from collections.abc import Mapping
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
from email_service.mail_templates import rendering
from email_service.mail_templates.hidden import hidden_version
from email_service.mail_templates.models import BodyType, Template, TemplateVersion
from email_service.send_tasks import columns, previews, services
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
    return _known_or_admitted(tenant, user, address, submission_key) or services.submit_task(
        tenant=tenant,
        user=user,
        name=_("Test mail"),
        subject=subject or _("Test mail from the console"),
        template=None,
        hidden=_text(),
        address=address,
        submission_key=submission_key,
        recipients=[user.email],
        test_values={},
    )


@transaction.atomic
def send_mail_of_form(
    *,
    tenant: Tenant,
    user: User,
    template: Template,
    address: Address,
    subject: str,
    values: Mapping[str, str],
    submission_key: UUID,
) -> Task:
    """Send the user the mail of a task that is being written, with these values in it, without attachments.

    By the rules of `send_test_mail`; where a parameter has no value, its sample stands.
    """
    known = _known_or_admitted(tenant, user, address, submission_key)
    if known is not None:
        return known
    version = template.version
    filled_in = previews.with_samples(version, values) if version else {}
    _judge_values(filled_in, version)
    title = format_lazy(_("Test mail: {title}"), title=template.title)
    return services.submit_task(
        tenant=tenant,
        user=user,
        name=str(title)[: Task._meta.get_field("name").max_length],
        subject=subject,
        template=template,
        address=address,
        submission_key=submission_key,
        recipients=[user.email],
        test_values=filled_in,
    )


def _known_or_admitted(tenant: Tenant, user: User, address: Address, submission_key: UUID) -> Task | None:
    """Return the task of an earlier post; None where the user may send one more, else raise why not."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    known = Task.objects.for_tenant(tenant).filter(submission_key=submission_key).first()
    if known is not None:
        return known
    refusal = find_obstacle(address, user)
    if refusal:
        raise refusal
    _judge_number(tenant, user)
    return None


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
        is_test=True,
    )
    if sent.count() >= settings.TEST_MAILS_AN_HOUR:
        sentence = gettext_lazy(
            "You may send {number} test mails an hour. Wait a little, then send the next."
        )
        raise RuleViolation(format_lazy(sentence, number=settings.TEST_MAILS_AN_HOUR))


def _judge_values(values: Mapping[str, str], version: TemplateVersion | None) -> None:
    """Refuse what a row of a recipient file would be refused for."""
    links = rendering.link_parameters(version.body) if version and version.body_type == BodyType.RICH else ()
    for name, value in values.items():
        if len(value) > columns.LONGEST_VALUE:
            sentence = gettext_lazy("The value of {name} is longer than {most} characters.")
            raise RuleViolation(format_lazy(sentence, name=name, most=f"{columns.LONGEST_VALUE:,}"))
        if name in links and not value.lower().startswith(("http://", "https://")):
            sentence = gettext_lazy(
                "The value of {name} is the address of a link; begin it with http:// or https://."
            )
            raise RuleViolation(format_lazy(sentence, name=name))


def _text() -> TemplateVersion:
    """Return the text in the user's language."""
    code, name = TEXTS.get(get_language() or "", TEXTS["en"])
    return hidden_version(code=code, title=_("Test mail"), body=(FOLDER / name).read_text(encoding="utf-8"))
