"""Reads for the pages of 权限管理."""

from typing import Any

from django.db.models import Count, Q, QuerySet

from iam.models import EnterpriseApplication, Policy, Tenant, User, UserGroup

Choices = list[tuple[int, str]]


def usable_policies(tenant: Tenant) -> QuerySet[Policy]:
    """The system policies and the account's own."""
    return Policy.objects.filter(Q(tenant=tenant) | Q(tenant=None))


def user_rows(tenant: Tenant) -> QuerySet[User]:
    return User.objects.filter(tenant=tenant).prefetch_related("user_groups", "policies")


def group_rows(tenant: Tenant) -> QuerySet[UserGroup]:
    rows = UserGroup.objects.for_tenant(tenant).prefetch_related("policies")
    return rows.annotate(user_count=Count("users", distinct=True))


def policy_rows(tenant: Tenant) -> QuerySet[Policy]:
    return usable_policies(tenant).annotate(
        user_count=Count("users", filter=Q(users__tenant=tenant), distinct=True),
        group_count=Count("user_groups", filter=Q(user_groups__tenant=tenant), distinct=True),
    )


def group_choices(tenant: Tenant) -> Choices:
    return list(UserGroup.objects.for_tenant(tenant).order_by("name").values_list("pk", "name"))


def policy_choices(tenant: Tenant) -> Choices:
    return list(usable_policies(tenant).order_by("tenant_id", "name").values_list("pk", "name"))


def member_choices(tenant: Tenant) -> Choices:
    return list(tenant.users.filter(is_main=False).order_by("name").values_list("pk", "name"))


def latest_application(tenant: Tenant) -> EnterpriseApplication | None:
    return EnterpriseApplication.objects.for_tenant(tenant).order_by("-pk").first()


def main_login(tenant: Tenant) -> str:
    """The login of the account's main user, for those who must ask it."""
    return tenant.users.filter(is_main=True).values_list("login", flat=True).first() or ""


def groups_of(member: User) -> QuerySet[UserGroup]:
    return member.user_groups.order_by("name").prefetch_related("policies")


def bindings_of(member: User) -> dict[str, Any]:
    """What the form of a user starts with."""
    groups = list(member.user_groups.values_list("pk", flat=True))
    return {
        "email": member.email,
        "groups": groups,
        "policies": list(member.policies.values_list("pk", flat=True)),
    }


def contents_of(group: UserGroup) -> dict[str, Any]:
    """What the form of a group starts with."""
    policies = list(group.policies.values_list("pk", flat=True))
    members = list(group.users.values_list("pk", flat=True))
    return {"name": group.name, "description": group.description, "policies": policies, "members": members}


def is_held(policy: Policy) -> bool:
    """Say whether any user or group holds the policy."""
    return User.objects.filter(policies=policy).exists() or UserGroup.objects.filter(policies=policy).exists()
