"""The admin of accounts: staff are managed, everything else is looked at or decided through services."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.test import Client

from iam import audit
from iam.models import AuditEntry, Policy, Tenant, User
from iam.staff import REVIEW_STAFF
from tests.factories import make_staff, make_tenant, make_user
from tests.factories_iam import make_application

MODELS = [
    "tenant",
    "user",
    "enterpriseapplication",
    "policy",
    "usergroup",
    "agreementacceptance",
    "auditentry",
]


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_and_can_be_searched(as_operator: Client, operator: User, acme: Tenant, model: str):
    make_application(acme)
    audit.record(tenant=acme, user=operator, action="iam:user:list")

    assert as_operator.get(f"/admin/iam/{model}/").status_code == 200
    assert as_operator.get(f"/admin/iam/{model}/", {"q": "acme"}).status_code in (200, 302)


@pytest.mark.parametrize(
    "model", ["tenant", "enterpriseapplication", "policy", "auditentry", "agreementacceptance"]
)
def test_rows_with_a_state_are_only_shown(as_operator: Client, acme: Tenant, operator: User, model: str):
    audit.record(tenant=acme, user=operator, action="iam:user:list")
    rows = {
        "tenant": acme,
        "enterpriseapplication": make_application(acme),
        "policy": Policy.objects.first(),
        "auditentry": AuditEntry.objects.first(),
    }

    assert as_operator.get(f"/admin/iam/{model}/add/").status_code == 403
    if row := rows.get(model):
        assert as_operator.get(f"/admin/iam/{model}/{row.pk}/change/").status_code == 200
        assert as_operator.post(f"/admin/iam/{model}/{row.pk}/change/", {}).status_code == 403
        assert as_operator.post(f"/admin/iam/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_superuser_makes_staff(as_operator: Client):
    secret = "a rather longer secret"
    fields = {"login": "Wang", "name": "Wang", "email": "", "usable_password": "true"}

    answer = as_operator.post("/admin/iam/user/add/", {**fields, "password1": secret, "password2": secret})

    user = User.objects.get(login="wang")
    assert answer.status_code == 302
    assert user.is_staff
    assert not user.is_superuser


def test_people_of_accounts_are_only_shown(as_operator: Client, owner: User):
    assert as_operator.get(f"/admin/iam/user/{owner.pk}/change/").status_code == 200
    assert as_operator.post(f"/admin/iam/user/{owner.pk}/change/", {"is_superuser": "on"}).status_code == 403


def test_staff_with_a_right_to_change_users_do_not_make_themselves_superusers(db: Any):
    clerk = make_staff(is_superuser=False)
    clerk.groups.add(Group.objects.get(name=REVIEW_STAFF))
    client = Client()
    client.force_login(clerk, backend="iam.backends.StaffBackend")

    assert client.get(f"/admin/iam/user/{clerk.pk}/change/").status_code == 403
    assert clerk.has_perm("email_service.change_templateversion")
    assert clerk.has_perm("email_service.view_template")
    assert not clerk.has_perm("iam.view_enterpriseapplication")


def test_tenants_people_get_nothing_in_the_admin(as_owner: Client):
    assert as_owner.get("/admin/").status_code == 302


def test_names_are_unique_in_any_case(db: Any):
    tenant = make_tenant(account="case")
    make_user(tenant, name="one")

    with pytest.raises(IntegrityError), transaction.atomic():
        make_tenant(account="CASE")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user(tenant, name="ONE")
