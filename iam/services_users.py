"""IAM users: made, put into groups, given policies, locked out and let in again."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from iam import audit, queries
from iam.backends import policy_documents
from iam.granting import refuse_unheld
from iam.models import Policy, Tenant, User, UserGroup, login_of
from koomessage.common.errors import RuleViolation


@transaction.atomic
def create_user(
    *,
    tenant: Tenant,
    user: User,
    name: str,
    email: str,
    password: str,
    groups: Iterable[int],
    policies: Iterable[int],
) -> User:
    """Make a login of the account; without groups and policies it can do nothing."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    member = User(tenant=tenant, login=login_of(tenant, name), name=name, email=email)
    member.set_password(password)
    try:
        with transaction.atomic():
            member.save()
    except IntegrityError as error:
        raise RuleViolation(_("The account has a user of this name already."), field="name") from error
    _bind(tenant, user, member, groups, policies)
    audit.record(tenant=tenant, user=user, action="iam:user:create", target=member.login)
    return member


@transaction.atomic
def change_user(
    *, tenant: Tenant, user: User, member: User, email: str, groups: Iterable[int], policies: Iterable[int]
) -> None:
    """Change an IAM user's e-mail, groups and policies. Who holds the mailbox can take the login over."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    _refuse_main(member)
    if email != member.email:
        refuse_unheld(user, added=policy_documents(member))
        member.email = email
        member.save(update_fields=["email"])
    _bind(tenant, user, member, groups, policies)
    audit.record(tenant=tenant, user=user, action="iam:user:update", target=member.login)


@transaction.atomic
def disable_user(*, tenant: Tenant, user: User, member: User) -> None:
    """Lock a user out, at once and in every session."""
    _refuse_main(member)
    if member.pk == user.pk:
        raise RuleViolation(_("You cannot disable yourself."))
    _switch(member, False)
    audit.record(tenant=tenant, user=user, action="iam:user:update", target=member.login, is_active=False)


@transaction.atomic
def enable_user(*, tenant: Tenant, user: User, member: User) -> None:
    """Let a disabled user in again, with all the rights it had: so the giver must hold them."""
    _refuse_main(member)
    refuse_unheld(user, added=policy_documents(member))
    _switch(member, True)
    audit.record(tenant=tenant, user=user, action="iam:user:update", target=member.login, is_active=True)


def _switch(member: User, is_active: bool) -> None:
    member.is_active = is_active
    member.save(update_fields=["is_active"])


def _refuse_main(member: User) -> None:
    if member.is_main:
        raise RuleViolation(_("The main account holds every right and stays; it cannot be changed here."))


def _bind(tenant: Tenant, giver: User, member: User, groups: Iterable[int], policies: Iterable[int]) -> None:
    wanted_groups = UserGroup.objects.for_tenant(tenant).filter(pk__in=groups)
    wanted_policies = queries.usable_policies(tenant).filter(pk__in=policies)
    before = set(member.policies.all()), set(member.user_groups.all())
    after = set(wanted_policies), set(wanted_groups)
    refuse_unheld(
        giver,
        added=[p.document for p in after[0] - before[0]] + _documents(after[1] - before[1]),
        removed=[p.document for p in before[0] - after[0]] + _documents(before[1] - after[1]),
    )
    member.policies.set(after[0])
    member.user_groups.set(after[1])


def _documents(groups: Iterable[UserGroup]) -> list[Any]:
    rows: QuerySet[Policy] = Policy.objects.filter(user_groups__in=list(groups))
    return list(rows.values_list("document", flat=True))
