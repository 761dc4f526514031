"""What becomes of an account: its enterprise verification, its activation, its settings."""

import secrets

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from iam import audit, jobs
from iam.agreements import AGREEMENTS
from iam.licences import judge_licence
from iam.models import AgreementAcceptance, EnterpriseApplication, Tenant, User, time_zones
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation

Status = EnterpriseApplication.Status


@transaction.atomic
def apply_for_verification(
    *,
    tenant: Tenant,
    user: User,
    company_name: str,
    registration_number: str,
    licence: File,
    contact_name: str,
    contact_phone: str,
) -> EnterpriseApplication:
    """Hand in the enterprise's papers; refused while an application is open, and once one was approved."""
    _require_main(tenant, user, _("Only the main account can apply for enterprise verification."))
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if tenant.is_verified:
        raise RuleViolation(_("This enterprise is verified already."))
    if tenant.verification == Tenant.Verification.PENDING:
        raise RuleViolation(_("An application is under review already; wait for its decision."))
    # The name on disk is ours: what the applicant called the file is neither kept nor trusted.
    name = f"{secrets.token_hex(16)}.{judge_licence(licence)}"
    application = EnterpriseApplication(
        tenant=tenant,
        company_name=company_name,
        registration_number=registration_number,
        contact_name=contact_name,
        contact_phone=contact_phone,
    )
    uploads.store(application.licence, name, licence, field="licence")
    application.save()
    tenant.verification = Tenant.Verification.PENDING
    tenant.save(update_fields=["verification"])
    audit.record(tenant=tenant, user=user, action="iam:verification:create", target=company_name)
    return application


@transaction.atomic
def approve_application(*, application: EnterpriseApplication, user: User) -> None:
    """Verify the enterprise; it is told by mail."""
    _decide(application, user, Status.APPROVED, "")


@transaction.atomic
def reject_application(*, application: EnterpriseApplication, user: User, reason: str) -> None:
    """Refuse the papers for a reason the applicant reads; it may apply again."""
    if not reason.strip():
        raise RuleViolation(_("Say why: the applicant reads the reason."), field="reason")
    _decide(application, user, Status.REJECTED, reason.strip())


def _decide(application: EnterpriseApplication, user: User, status: str, reason: str) -> None:
    if not user.is_staff:
        raise RuleViolation(_("Only the platform's staff decide on applications."))
    tenant = Tenant.objects.select_for_update().get(pk=application.tenant_id)
    application = EnterpriseApplication.objects.select_for_update().get(pk=application.pk)
    if application.status != Status.PENDING:
        raise RuleViolation(_("This application has been decided already."))
    application.status, application.reason = status, reason
    application.decided_by, application.decided_at = user, timezone.now()
    application.save(update_fields=["status", "reason", "decided_by", "decided_at"])
    approved = status == Status.APPROVED
    tenant.verification = Tenant.Verification.VERIFIED if approved else Tenant.Verification.REJECTED
    if approved:
        tenant.name = application.company_name
    tenant.save(update_fields=["verification", "name"])
    action = f"iam:verification:{'approve' if approved else 'reject'}"
    audit.record(tenant=tenant, user=user, action=action, target=application.company_name, reason=reason)
    jobs.mail_decision.delay_on_commit(application.pk)


@transaction.atomic
def activate_tenant(*, tenant: Tenant, user: User, ip_address: str | None) -> None:
    """Activate the service, once, by the main account of a verified enterprise that accepts the agreements.

    Records which versions were accepted and from where, and turns pay-as-you-go on.
    """
    _require_main(tenant, user, _("Only the main account can activate the service."))
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if not tenant.is_verified:
        raise RuleViolation(_("Only verified enterprises can activate the service."))
    if tenant.is_activated:
        raise RuleViolation(_("The service has been activated already."))
    for agreement in AGREEMENTS.values():
        AgreementAcceptance.objects.create(
            tenant=tenant,
            user=user,
            agreement=agreement.slug,
            version=agreement.version,
            ip_address=ip_address,
        )
    tenant.activated_at, tenant.pay_as_you_go = timezone.now(), True
    tenant.save(update_fields=["activated_at", "pay_as_you_go"])
    audit.record(
        tenant=tenant, user=user, action="iam:account:activate", target=tenant.account, ip=ip_address
    )


@transaction.atomic
def change_settings(
    *, tenant: Tenant, user: User, operation_protection: bool, time_zone: str, password: str = ""
) -> None:
    """Change the account's settings; taking operation protection off asks for the password."""
    _require_main(tenant, user, _("Only the main account can change these settings."))
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if time_zone not in dict(time_zones()):
        raise RuleViolation(_("Choose a time zone from the list."), field="time_zone")
    if tenant.operation_protection and not operation_protection and not user.check_password(password):
        raise RuleViolation(_("Enter your password to switch operation protection off."), field="password")
    tenant.operation_protection, tenant.time_zone = operation_protection, time_zone
    tenant.save(update_fields=["operation_protection", "time_zone"])
    changes = {"operation_protection": operation_protection, "time_zone": time_zone}
    audit.record(tenant=tenant, user=user, action="iam:account:update", target=tenant.account, **changes)


def _require_main(tenant: Tenant, user: User, refusal: str) -> None:
    if not user.is_main or user.tenant_id != tenant.pk:
        raise RuleViolation(refusal)
