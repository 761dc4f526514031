"""Who may send now, who may not and why, and which limits are set."""

from dataclasses import dataclass
from typing import Any

from django.db.models import DateField, DecimalField, Exists, IntegerField, Q, QuerySet, Value

from email_service.setup.models import DestinationLimit, EmailService, PlatformSending, SenderLimit
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


def pause_reason_of(tenant: Tenant) -> str | None:
    """Return why an operator paused this account; None where it is not."""
    paused = EmailService.objects.filter(tenant=tenant, paused=True)
    return paused.values_list("pause_reason", flat=True).first()


# What a kind of limit lacks, where all kinds are read by one query.
NO_TERMS = (
    Value(None, DecimalField()),
    Value(None, IntegerField()),
    Value(None, IntegerField()),
    Value(None, DateField()),
    Value(None, DateField()),
    Value(None, IntegerField()),
)


def limit_rows(*more: Value) -> tuple[QuerySet[Any, Any], ...]:
    """Return a query for each kind of limit: its kind, account, domain, rate, the warm-up's terms, and `more`."""
    warmup = ("warmup_first", "warmup_growth", "warmup_from", "warmup_until", "warmup_most")
    senders = SenderLimit.objects.order_by()
    tenants = EmailService.objects.filter(messages_per_second__isnull=False).order_by()
    destinations = DestinationLimit.objects.order_by()
    rate, bare = "messages_per_second", NO_TERMS[1:]
    return (
        senders.values_list(Value("sender"), "tenant_id", "domain", rate, *warmup, *more),
        tenants.values_list(Value("tenant"), "tenant_id", Value(""), rate, *bare, *more),
        destinations.values_list(Value("destination"), Value(0), "domain", rate, *bare, *more),
    )
