"""How an enterprise account comes into being."""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from iam import audit, jobs
from iam.models import AuditEntry, Tenant, User, login_of
from koomessage.common.errors import RuleViolation

SIGN_UP = "iam:account:create"
RESEND = "iam:account:resend"
RESENDS_AN_HOUR = 5


@transaction.atomic
def sign_up(
    *,
    account: str,
    enterprise_name: str,
    user_name: str,
    email: str,
    password: str,
    ip_address: str | None,
    language: str,
) -> User:
    """Make an enterprise account and its main user, who cannot sign in before confirming the e-mail."""
    hour = timezone.now() - timedelta(hours=1)
    recent = AuditEntry.objects.filter(action=SIGN_UP, at__gt=hour, detail__ip=ip_address).count()
    if recent >= settings.SIGN_UPS_AN_HOUR:
        raise RuleViolation(_("Too many accounts were opened from your network. Try again in an hour."))
    try:
        with transaction.atomic():
            tenant = Tenant.objects.create(account=account, name=enterprise_name, email=email)
    except IntegrityError as error:
        raise RuleViolation(_("This account name is taken; choose another one."), field="account") from error
    name = user_name or account
    user = User(
        tenant=tenant, login=login_of(tenant, name), name=name, email=email, is_main=True, is_active=False
    )
    user.set_password(password)
    user.save()
    audit.record(tenant=tenant, user=user, action=SIGN_UP, target=account, ip=ip_address)
    jobs.mail_confirmation.delay_on_commit(user.pk, language)
    return user


@transaction.atomic
def resend_confirmation(*, email: str, language: str) -> None:
    """Mail the link again to every unconfirmed account with this address; says nothing on whether there is one."""
    hour = timezone.now() - timedelta(hours=1)
    waiting = User.objects.filter(email__iexact=email, is_main=True, email_confirmed_at=None, is_active=False)
    for user in waiting.select_related("tenant"):
        if AuditEntry.objects.filter(action=RESEND, at__gt=hour, user=user).count() < RESENDS_AN_HOUR:
            audit.record(tenant=user.tenant, user=user, action=RESEND, target=user.login)
            jobs.mail_confirmation.delay_on_commit(user.pk, language)


@transaction.atomic
def confirm_email(user: User) -> None:
    """Let a new main user sign in; a second press of the link changes nothing."""
    user = User.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=user.pk)
    if user.email_confirmed_at is not None:
        return
    user.email_confirmed_at, user.is_active = timezone.now(), True
    user.save(update_fields=["email_confirmed_at", "is_active"])
    audit.record(tenant=user.tenant, user=user, action="iam:account:confirm", target=user.email)
