"""What an account is told by mail when records of a verified domain are gone: once a loss, once a block."""

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from email_service.domains.models import Domain, DomainRecord
from email_service.domains.records import NEEDED
from email_service.domains.verification import due_to_tell
from iam.notices import send_to_account

SUBJECTS = {
    Domain.Told.AT_RISK: _("DNS records of {domain} no longer pass"),
    Domain.Told.BLOCKED: _("New send tasks from {domain} are blocked"),
}


def tell(domain_id: int) -> None:
    """Mail the account how things stand with a loss, unless it knows; whoever comes first sends it."""
    domain = Domain.objects.select_related("tenant").filter(pk=domain_id).first()
    if domain is None:
        return
    due, known = due_to_tell(domain), domain.told
    same = Domain.objects.filter(pk=domain.pk, status=domain.status, lost_since=domain.lost_since)
    if due in (known, Domain.Told.NOTHING) or not same.filter(told=known).update(told=due):
        return
    try:
        _send(domain, due)
    except Exception:
        same.filter(told=due).update(told=known)
        raise


def _send(domain: Domain, what: Domain.Told) -> None:
    send_to_account(
        domain.tenant,
        format_lazy(SUBJECTS[what], domain=domain.display_name),
        f"email_service/domains/mail/{what}.txt",
        domain=domain,
        records=domain.records.filter(purpose__in=NEEDED, status=DomainRecord.Status.FAILED),
        grace_hours=f"{settings.DOMAIN_GRACE_HOURS:g}",
        link=settings.BASE_URL + domain.get_absolute_url(),
    )
