"""User groups and custom policies."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from iam import audit, grammar, queries
from iam.granting import refuse_unheld
from iam.models import Policy, Tenant, User, UserGroup
from koomessage.common.errors import RuleViolation


@transaction.atomic
def create_group(
    *,
    tenant: Tenant,
    user: User,
    name: str,
    description: str,
    policies: Iterable[int],
    members: Iterable[int],
) -> UserGroup:
    """Make a group; whoever is put into it holds its policies."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    group = UserGroup(tenant=tenant, name=name, description=description)
    _save_named(group, _("The account has a group of this name already."))
    _bind(tenant, user, group, policies, members)
    audit.record(tenant=tenant, user=user, action="iam:group:create", target=name)
    return group


@transaction.atomic
def change_group(
    *,
    tenant: Tenant,
    user: User,
    group: UserGroup,
    name: str,
    description: str,
    policies: Iterable[int],
    members: Iterable[int],
) -> None:
    """Rename a group, and change what it holds and who is in it."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    group.name, group.description = name, description
    _save_named(group, _("The account has a group of this name already."))
    _bind(tenant, user, group, policies, members)
    audit.record(tenant=tenant, user=user, action="iam:group:update", target=name)


@transaction.atomic
def delete_group(*, tenant: Tenant, user: User, group: UserGroup) -> None:
    """Delete a group; its users lose what it held, which must not lift a Deny beyond the deleter's rights."""
    refuse_unheld(user, removed=[policy.document for policy in group.policies.all()])
    name = group.name
    group.delete()
    audit.record(tenant=tenant, user=user, action="iam:group:delete", target=name)


@transaction.atomic
def create_policy(*, tenant: Tenant, user: User, name: str, description: str, document: str) -> Policy:
    """Keep a custom policy; it binds nobody until somebody attaches it."""
    read = grammar.parse(document)
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    policy = Policy(tenant=tenant, name=name, description=description, document=read)
    _refuse_system_name(name)
    _save_named(policy, _("The account has a policy of this name already."))
    audit.record(tenant=tenant, user=user, action="iam:policy:create", target=name)
    return policy


@transaction.atomic
def change_policy(
    *, tenant: Tenant, user: User, policy: Policy, name: str, description: str, document: str
) -> None:
    """Change a custom policy; where it binds somebody, the change may give no more than the changer holds."""
    read = grammar.parse(document)
    policy = Policy.objects.select_for_update().get(pk=policy.pk, tenant=tenant)
    if queries.is_held(policy):
        refuse_unheld(user, added=[read], removed=[policy.document])
    _refuse_system_name(name)
    policy.name, policy.description, policy.document = name, description, read
    _save_named(policy, _("The account has a policy of this name already."))
    audit.record(tenant=tenant, user=user, action="iam:policy:update", target=name)


@transaction.atomic
def delete_policy(*, tenant: Tenant, user: User, policy: Policy) -> None:
    """Delete a custom policy that binds nobody."""
    policy = Policy.objects.select_for_update().get(pk=policy.pk, tenant=tenant)
    if queries.is_held(policy):
        raise RuleViolation(_("Users or groups hold this policy; take it from them first."))
    name = policy.name
    policy.delete()
    audit.record(tenant=tenant, user=user, action="iam:policy:delete", target=name)


def _refuse_system_name(name: str) -> None:
    if Policy.objects.filter(tenant=None, name__iexact=name).exists():
        raise RuleViolation(_("A system policy has this name; choose another one."), field="name")


def _save_named(row: UserGroup | Policy, refusal: str) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise RuleViolation(refusal, field="name") from error


def _bind(
    tenant: Tenant, giver: User, group: UserGroup, policies: Iterable[int], members: Iterable[int]
) -> None:
    after = set(queries.usable_policies(tenant).filter(pk__in=policies))
    before = set(group.policies.all())
    joined = set(tenant.users.filter(Q(pk__in=members), is_main=False))
    present = set(group.users.all())
    # Who joins gets all the group holds, who leaves is freed of all it denied, who stays sees the difference.
    moved = joined ^ present
    refuse_unheld(
        giver,
        added=[policy.document for policy in (after if moved else after - before)],
        removed=[policy.document for policy in (before if moved else before - after)],
    )
    group.policies.set(after)
    group.users.set(joined)
