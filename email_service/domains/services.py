"""What people decide about sending domains."""

import secrets

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.delivery import dkim
from email_service.domains import jobs, names, rotation, verification
from email_service.domains.models import CHECK_LASTS_AT_MOST, DkimKey, Domain, DomainRecord
from email_service.domains.records import Purpose
from email_service.domains.rotation import selectors
from email_service.domains.uses import find_use
from iam import audit
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation

MAX_DOMAINS = 10


def register_domain(*, tenant: Tenant, user: User | None, name: str) -> Domain:
    """Add a domain to the account, unverified, with its DKIM key and the records to publish.

    Raises RuleViolation when the name is no domain, the account has it already, or has as many as it may.
    """
    name = names.normalise(name)
    key = dkim.generate_key()  # before the transaction: it takes longer than others should wait for a lock
    with transaction.atomic():
        # Two requests at once must not both see room for one more.
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        _refuse_duplicate(tenant, name)
        if Domain.objects.for_tenant(tenant).count() >= MAX_DOMAINS:
            raise RuleViolation(
                _("An account may have at most 10 sending domains. Delete one that you no longer use."),
                field="name",
            )
        domain = Domain.objects.create(tenant=tenant, **_identity(name))
        _write_records(domain, key)
        audit.record(tenant=tenant, user=user, action="kooMessage:emailDomain:create", target=name)
    return domain


def rename_domain(domain: Domain, *, user: User | None, name: str) -> Domain:
    """Give the domain another name, new records and a new key, unverified; the same name changes nothing.

    Raises RuleViolation while something uses the domain, or when the account has the new name already.
    """
    name = names.normalise(name)
    if name == domain.name:
        return domain
    key = dkim.generate_key()
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=domain.tenant_id)
        domain = Domain.objects.select_for_update().get(pk=domain.pk)
        _refuse_used(domain)
        _refuse_duplicate(domain.tenant, name)
        before = domain.name
        for field, value in _identity(name).items():
            setattr(domain, field, value)
        domain.status = Domain.Status.UNVERIFIED
        domain.told = Domain.Told.NOTHING
        for field in ("checking_since", "checked_at", "verified_at", "lost_since", "claimed_at"):
            setattr(domain, field, None)
        domain.save()
        domain.records.all().delete()
        domain.dkim_keys.all().delete()
        _write_records(domain, key)
        audit.record(
            tenant=domain.tenant,
            user=user,
            action="kooMessage:emailDomain:update",
            target=name,
            before=before,
        )
    return domain


@transaction.atomic
def delete_domain(domain: Domain, *, user: User | None) -> None:
    """Delete the domain with its key; refused with RuleViolation while something uses it."""
    Tenant.objects.select_for_update().get(pk=domain.tenant_id)
    domain = Domain.objects.select_for_update().get(pk=domain.pk)
    _refuse_used(domain)
    domain.delete()
    audit.record(tenant=domain.tenant, user=user, action="kooMessage:emailDomain:delete", target=domain.name)


@transaction.atomic
def start_check(domain: Domain, *, user: User | None) -> bool:
    """Start looking the records up in the background; False where a check is running already."""
    now = timezone.now()
    ended = models.Q(checking_since=None) | models.Q(checking_since__lte=now - CHECK_LASTS_AT_MOST)
    if not Domain.objects.filter(ended, pk=domain.pk).update(checking_since=now):
        return False
    jobs.check_domain.delay_on_commit(domain.pk)
    audit.record(tenant=domain.tenant, user=user, action="kooMessage:emailDomain:verify", target=domain.name)
    return True


def start_rotation(domain: Domain, *, user: User | None) -> DkimKey:
    """Give the domain a second DKIM key, which signs once a check has found its record.

    Raises RuleViolation for a domain that is not verified, and while another rotation is under way.
    """
    key = dkim.generate_key()
    with transaction.atomic():
        domain = Domain.objects.select_for_update().get(pk=domain.pk)
        _refuse_rotation(domain)
        next_key = rotation.begin(domain, key)
        _note_rotation(domain, user, selector=next_key.selector, step="start")
    return next_key


@transaction.atomic
def cancel_rotation(domain: Domain, *, user: User | None) -> None:
    """Drop the key that does not sign yet. Raises RuleViolation where there is none, or it signs by now."""
    domain = Domain.objects.select_for_update().get(pk=domain.pk)
    key = domain.dkim_keys.filter(state=DkimKey.State.NEXT).first()
    if key is None:
        raise RuleViolation(_("No new key is waiting: it signs already, or the rotation was cancelled."))
    key.delete()
    domain.records.filter(purpose=Purpose.DKIM_NEXT).delete()
    _note_rotation(domain, user, selector=key.selector, step="cancel")


def _refuse_rotation(domain: Domain) -> None:
    if not domain.is_verified:
        raise RuleViolation(_("Only the key of a verified domain is replaced. Verify the domain first."))
    states = set(domain.dkim_keys.values_list("state", flat=True))
    if DkimKey.State.NEXT in states:
        raise RuleViolation(
            _("A new key is waiting for its record. Publish the record and verify, or cancel that rotation.")
        )
    if DkimKey.State.RETIRING in states:
        raise RuleViolation(
            _("The key before this one is still kept for mails under way. Wait until its date has passed.")
        )


def _note_rotation(domain: Domain, user: User | None, *, selector: str, step: str) -> None:
    audit.record(
        tenant=domain.tenant,
        user=user,
        action="kooMessage:emailDomain:update",
        target=domain.name,
        dkim_rotation=step,
        selector=selector,
    )


def _identity(name: str) -> dict[str, str]:
    # A new name gets a new token: what somebody once published for the old one proves nothing.
    return {"name": name, "display_name": names.display(name), "token": secrets.token_hex(10)}


def _write_records(domain: Domain, key: tuple[bytes, str]) -> None:
    private, public = key
    DkimKey.objects.create(
        domain=domain, selector=selectors()[0], private_key=private.decode(), public_key=public
    )
    DomainRecord.objects.bulk_create(
        DomainRecord(
            domain=domain,
            purpose=record.purpose,
            position=position,
            kind=record.kind,
            name=record.name,
            expected=record.value,
        )
        for position, record in enumerate(verification.expected_of(domain))
    )


def _refuse_duplicate(tenant: Tenant, name: str) -> None:
    if Domain.objects.for_tenant(tenant).filter(name=name).exists():
        raise RuleViolation(_("This domain is already in your list."), field="name")


def _refuse_used(domain: Domain) -> None:
    refusal = find_use(domain)
    if refusal:
        raise refusal
