"""What operators decide about an account's Email service, where code and not the admin writes it."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from email_service.setup.models import EmailService, PlatformSending, Transport
from iam import audit
from iam.models import Tenant, User

DEFAULT_TRANSPORT = "default"


@transaction.atomic
def default_transport() -> Transport:
    """Return the transport named "default", made from the settings RELAY_… where there is none yet."""
    transport, _created = Transport.objects.get_or_create(
        name=DEFAULT_TRANSPORT,
        defaults={
            "host": settings.RELAY_HOST,
            "port": settings.RELAY_PORT,
            "security": settings.RELAY_SECURITY,
            "username": settings.RELAY_USERNAME,
            "password": settings.RELAY_PASSWORD,
            "connections": settings.RELAY_CONNECTIONS,
        },
    )
    return transport


@transaction.atomic
def configure_email(
    *,
    tenant: Tenant,
    user: User | None,
    transport: Transport,
    sensitive: bool = False,
    in_doubt: str = EmailService.InDoubt.RESEND,
) -> EmailService:
    """Set the account's Email service up, or change how it is set up; a pause stays as it is."""
    service, _created = EmailService.objects.update_or_create(
        tenant=tenant, defaults={"transport": transport, "sensitive": sensitive, "in_doubt": in_doubt}
    )
    audit.record(
        tenant=tenant,
        user=user,
        action="kooMessage:emailService:update",
        target=str(transport),
        sensitive=sensitive,
    )
    return service


@transaction.atomic
def pause_sending(service: EmailService, *, user: User | None, reason: str) -> None:
    """Stop the account's sending until it is resumed; what is on its way ends."""
    _set_pause(service, user, is_paused=True, reason=reason)


@transaction.atomic
def resume_sending(service: EmailService, *, user: User | None) -> None:
    """Let the account send again."""
    _set_pause(service, user, is_paused=False, reason="")


def stop_account(tenant: Tenant, user: User, reason: str) -> bool:
    """Pause the account's sending, as an operator who freezes it asks; False where it has no Email service."""
    service = EmailService.objects.select_for_update(of=("self",)).filter(tenant=tenant).first()
    if service is not None:
        _set_pause(service, user, is_paused=True, reason=reason)
    return service is not None


def let_account_go(tenant: Tenant, user: User) -> bool:
    """Resume the account's sending; False where nothing of it is paused."""
    services = EmailService.objects.select_for_update(of=("self",)).filter(tenant=tenant, paused=True)
    service = services.first()
    if service is not None:
        _set_pause(service, user, is_paused=False, reason="")
    return service is not None


def _set_pause(service: EmailService, user: User | None, *, is_paused: bool, reason: str) -> None:
    service.paused, service.pause_reason = is_paused, reason[:255]
    service.save(update_fields=["paused", "pause_reason"])
    audit.record(
        tenant=service.tenant,
        user=user,
        action="kooMessage:emailService:pause" if is_paused else "kooMessage:emailService:resume",
        target=str(service),
        reason=reason,
    )


@transaction.atomic
def pause_platform(*, user: User | None, reason: str) -> bool:
    """Stop all sending until it is resumed; False where it had been stopped already."""
    return _switch_platform(user, is_paused=True, reason=reason)


@transaction.atomic
def resume_platform(*, user: User | None) -> bool:
    """Let the platform send again; False where it did."""
    return _switch_platform(user, is_paused=False, reason="")


def _switch_platform(user: User | None, *, is_paused: bool, reason: str) -> bool:
    PlatformSending.objects.get_or_create(pk=1, defaults={"changed_at": timezone.now()})
    changed = PlatformSending.objects.filter(pk=1, paused=not is_paused).update(
        paused=is_paused, reason=reason[:255], changed_at=timezone.now(), changed_by=user
    )
    if changed:
        action = "kooMessage:platform:pauseSending" if is_paused else "kooMessage:platform:resumeSending"
        audit.record(tenant=None, user=user, action=action, reason=reason)
    return bool(changed)
