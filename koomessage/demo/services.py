"""What the demo's pages change: the records of its DNS zone."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from email_service.domains.models import Domain
from email_service.domains.records import Purpose
from koomessage.common.errors import RuleViolation
from koomessage.demo import zone
from koomessage.demo.zone import ZoneRecord


def add_record(*, kind: str, name: str, value: str) -> None:
    """Enter a record by hand. Raises RuleViolation where the zone holds it already."""
    if not zone.add(settings.DEMO_ZONE_FILE, ZoneRecord(kind, name, value)):
        raise RuleViolation(_("The zone holds this record already."), field="value")


def delete_record(record_id: str) -> None:
    """Take a record out. Raises RuleViolation for the platform's own and for one that is gone."""
    if not zone.remove(settings.DEMO_ZONE_FILE, record_id):
        raise RuleViolation(_("This record is gone already, or belongs to the platform."))


def publish_domain(domain: Domain) -> int:
    """Publish every record that 验证详情 expects of the domain, a new key's too; return how many were not there yet."""
    expected = [
        ZoneRecord(record.kind, record.name, _with_priority(record.kind, record.expected), "domain")
        for record in domain.records.exclude(purpose=Purpose.DKIM_OLD)
    ]
    return zone.publish(settings.DEMO_ZONE_FILE, expected)


def publish_platform() -> None:
    """Put the platform's own records into the zone, as the settings name them."""
    zone.put_platform(
        settings.DEMO_ZONE_FILE,
        zone.platform_records(
            zone="koomessage.demo",
            mx=settings.PLATFORM_MX,
            spf=settings.PLATFORM_SPF_INCLUDE,
            dmarc=settings.PLATFORM_DMARC_HOST,
            tracking=settings.PLATFORM_TRACKING_HOST,
            bounce=settings.PLATFORM_BOUNCE_HOST,
        ),
    )


def _with_priority(kind: str, value: str) -> str:
    return f"10 {value}" if kind == "MX" and " " not in value.strip() else value
