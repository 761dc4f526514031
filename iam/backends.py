"""Answer Django's question, "may this user?", by the account's policies."""

from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest

from iam.actions import ACTION_OF
from iam.models import Policy, User
from iam.policies import evaluate


class PolicyBackend(BaseBackend):
    """Asked first: a Deny ends the question; what no policy names is left to grants on single objects."""

    def has_perm(self, user_obj: Any, perm: str, obj: models.Model | None = None) -> bool:
        if not isinstance(user_obj, User) or not user_obj.is_active or user_obj.tenant_id is None:
            return False
        if obj is not None and getattr(obj, "tenant_id", user_obj.tenant_id) not in (
            user_obj.tenant_id,
            None,
        ):
            raise PermissionDenied
        action = ACTION_OF.get(perm)
        if action is None:
            return False
        if user_obj.is_main:
            return True
        decision = evaluate(policy_documents(user_obj), action).decision
        if decision == "deny":
            raise PermissionDenied
        return decision == "allow"


def policy_documents(user: User) -> list[dict[str, Any]]:
    """Return the documents that bind the user, by itself and by its groups, read once a request."""
    cached: list[dict[str, Any]] | None = getattr(user, "_policy_documents", None)
    if cached is None:
        bound = models.Q(users=user) | models.Q(user_groups__users=user)
        ids = Policy.objects.filter(bound).values("pk")
        cached = list(Policy.objects.filter(pk__in=ids).order_by("pk").values_list("document", flat=True))
        user._policy_documents = cached  # type: ignore[attr-defined]
    return cached


class StaffBackend(ModelBackend):
    """Django's own passwords for everybody; its groups and permissions for staff, who have no tenant."""

    def has_perm(self, user_obj: Any, perm: str, obj: models.Model | None = None) -> bool:
        return bool(getattr(user_obj, "is_staff", False)) and super().has_perm(user_obj, perm, obj)


def login_tried(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Return the login somebody tries, in one spelling: failures are counted for it (named in the settings)."""
    return str((credentials or request.POST).get("username") or "").strip().lower()[:255]
