"""Who may send now, and who may not and why."""

from dataclasses import dataclass

from django.db.models import Exists, Q

from email_service.setup.models import EmailService, PlatformSending
from iam.models import Tenant

HALTED = PlatformSending.objects.filter(paused=True)


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing is sent: decided for all, or for the one account."""

    reason: str
    is_for_all: bool


def platform_pause() -> PlatformSending | None:
    """Return who stopped all sending, when and why; None while the platform sends."""
    return HALTED.select_related("changed_by").first()


def is_halted(tenant_id: int) -> bool:
    """Say in one query whether the account, or the platform, is paused."""
    services = EmailService.objects.filter(tenant=tenant_id)
    return services.filter(Q(paused=True) | Q(Exists(HALTED.all()))).exists()


def pause_of(tenant: Tenant) -> Pause | None:
    """Return why the account's mail stands still, as its own people may read it."""
    service = EmailService.objects.filter(tenant=tenant).annotate(all_paused=Exists(HALTED.all())).first()
    if service is None or not (service.paused or service.all_paused):
        return None
    if service.paused:
        return Pause(service.pause_reason, is_for_all=False)
    return Pause("", is_for_all=True)
