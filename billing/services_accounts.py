"""What operators decide about an account as a whole."""

from django.db import transaction
from django.utils.translation import gettext as _

from billing.freezing import brakes
from billing.ledger import lock_account
from iam import audit
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation


@transaction.atomic
def freeze_account(*, tenant: Tenant, user: User, reason: str) -> None:
    """Stop the account's sending; its users read the reason.

    Raises RuleViolation without a reason, and where there is nothing to stop.
    """
    # The console ends the sentence itself.
    reason = reason.strip().rstrip("。.")
    if not reason:
        raise RuleViolation(_("Say why: the account's users read it."), field="reason")
    lock_account(tenant)
    stopped = [brake.stop(tenant, user, reason) for brake in brakes()]
    if not any(stopped):
        raise RuleViolation(_("This account sends nothing that could be stopped."))
    audit.record(
        tenant=tenant, user=user, action="billing:account:freeze", target=tenant.account, reason=reason
    )


@transaction.atomic
def thaw_account(*, tenant: Tenant, user: User) -> None:
    """Let a frozen account go on where it stopped. Raises RuleViolation for one that is not frozen."""
    lock_account(tenant)
    going = [brake.let_go(tenant, user) for brake in brakes()]
    if not any(going):
        raise RuleViolation(_("This account is not frozen."))
    audit.record(tenant=tenant, user=user, action="billing:account:thaw", target=tenant.account)
