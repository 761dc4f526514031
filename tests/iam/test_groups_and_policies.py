"""权限管理: groups that share policies, policies as JSON, and the account's settings."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from iam.models import AuditEntry, Policy, Tenant, User, UserGroup
from koomessage.common.permissions import may
from tests.conftest import FRAGMENT
from tests.factories import PASSWORD, make_user
from tests.factories_iam import make_group, make_policy
from tests.iam.test_users import DENY_CREATE, MANAGE, system

TEXT = json.dumps(DENY_CREATE)


@pytest.fixture
def as_manager(acme: Tenant) -> Client:
    client = Client()
    client.force_login(
        make_user(acme, name="manager", policies=[MANAGE]), backend="iam.backends.StaffBackend"
    )
    return client


def test_a_group_gives_its_policies_to_its_users_and_takes_them_back(as_owner: Client, acme: Tenant):
    member = make_user(acme, name="alpha")
    fields = {"name": "运营", "description": "", "policies": [system().pk], "members": [member.pk]}

    answer = as_owner.post("/iam/groups/add/", fields)
    group = UserGroup.objects.get(tenant=acme)
    during = may(User.objects.get(pk=member.pk), "email_service.add_domain")
    as_owner.post(f"/iam/groups/{group.pk}/edit/", {**fields, "members": []})
    after = may(User.objects.get(pk=member.pk), "email_service.add_domain")

    assert answer["Location"] == "/iam/groups/"
    assert during
    assert not after
    assert AuditEntry.objects.filter(action="iam:group:update").exists()


def test_groups_are_unique_in_name_and_need_one(as_owner: Client, acme: Tenant):
    make_group(acme)
    name = UserGroup.objects.get().name

    assert as_owner.post("/iam/groups/add/", {"name": name}).status_code == 422
    assert as_owner.post("/iam/groups/add/", {"name": ""}).status_code == 422
    assert UserGroup.objects.count() == 1


def test_a_manager_cannot_join_a_group_that_holds_more(as_manager: Client, acme: Tenant):
    manager = User.objects.get(login="acme/manager")
    group = make_group(acme, policies=[system()])
    fields = {"name": group.name, "policies": [system().pk], "members": [manager.pk]}

    assert as_manager.post(f"/iam/groups/{group.pk}/edit/", fields).status_code == 422
    assert as_manager.post("/iam/groups/add/", {**fields, "name": "new"}).status_code == 422
    assert as_manager.post(f"/iam/groups/{group.pk}/edit/", {**fields, "members": []}).status_code == 302


def test_a_group_that_denies_is_not_deleted_by_who_lacks_the_right(
    as_manager: Client, as_owner: Client, acme: Tenant
):
    group = make_group(acme, policies=[make_policy(acme, document=DENY_CREATE)])
    url = f"/iam/groups/{group.pk}/delete/"

    assert as_manager.post(url).status_code == 422
    assert b"<html" not in as_owner.get(url, **FRAGMENT).content
    assert as_owner.post(url).status_code == 302
    assert not UserGroup.objects.exists()


def test_the_guides_flow_group_user_login(as_owner: Client, acme: Tenant):
    as_owner.post("/iam/groups/add/", {"name": "staff", "policies": [system().pk]})
    group = UserGroup.objects.get()
    secret = "a rather longer secret"
    fields = {"name": "zhang", "email": "z@acme.example", "password": secret, "password_again": secret}
    as_owner.post("/iam/users/add/", {**fields, "groups": [group.pk]})

    client = Client()
    client.post("/login/", {"account": "acme", "username": "zhang", "password": secret})

    assert client.get("/email/domains/").status_code == 200


def test_a_custom_policy_is_kept_as_it_was_read(as_owner: Client, acme: Tenant):
    text = TEXT.replace('["kooMessage:emailDomain:create"]', '"kooMessage:devSendTask:create"')

    answer = as_owner.post("/iam/policies/add/", {"name": "No tasks", "description": "", "document": text})

    policy = Policy.objects.get(tenant=acme)
    page = as_owner.get(f"/iam/policies/{policy.pk}/").content.decode()
    assert answer["Location"] == "/iam/policies/"
    assert policy.document["Statement"][0]["Action"] == ["kooMessage:devSendTask:create"]
    assert "devSendTask" in page


def test_a_document_out_of_the_grammar_is_refused_and_kept_in_the_form(as_owner: Client):
    text = TEXT.replace('"Effect": "Deny", ', "")

    answer = as_owner.post("/iam/policies/add/", {"name": "Mine", "document": text})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["document"]
    assert "Statement[0]" in answer.content.decode()
    assert "emailDomain" in answer.content.decode()
    assert not Policy.objects.exclude(tenant=None).exists()


@pytest.mark.parametrize("name", ["koomessage fullaccess", ""])
def test_a_policy_needs_a_name_of_its_own(as_owner: Client, name: str):
    assert as_owner.post("/iam/policies/add/", {"name": name, "document": TEXT}).status_code == 422


def test_a_policy_somebody_holds_changes_only_within_the_changers_rights(as_manager: Client, acme: Tenant):
    policy = make_policy(acme, name="mine", document=DENY_CREATE)
    everything = {"name": "mine", "document": json.dumps(system().document)}
    url = f"/iam/policies/{policy.pk}/edit/"

    manager = User.objects.get(login="acme/manager")
    manager.policies.add(policy)
    bound = as_manager.post(url, everything)
    manager.policies.remove(policy)
    free = as_manager.post(url, everything)

    assert bound.status_code == 422
    assert free.status_code == 302


def test_a_policy_in_use_stays(as_owner: Client, acme: Tenant):
    policy = make_policy(acme)
    member = make_user(acme)
    member.policies.add(policy)
    url = f"/iam/policies/{policy.pk}/delete/"

    assert as_owner.post(url).status_code == 422
    member.policies.clear()
    assert as_owner.post(url).status_code == 302


def test_system_policies_are_read_by_all_accounts_and_changed_by_none(as_owner: Client):
    policy = system("KooMessage ReadOnlyAccess")

    assert "KooMessage:*:list" in as_owner.get(f"/iam/policies/{policy.pk}/").content.decode()
    assert as_owner.get(f"/iam/policies/{policy.pk}/edit/").status_code == 404
    assert as_owner.post(f"/iam/policies/{policy.pk}/delete/").status_code == 404


def test_strangers_find_neither_group_nor_policy(as_stranger: Client, acme: Tenant):
    group, policy = make_group(acme), make_policy(acme)

    for path in (f"groups/{group.pk}/edit", f"groups/{group.pk}/delete", f"policies/{policy.pk}"):
        assert as_stranger.get(f"/iam/{path}/").status_code == 404
    for path in (f"policies/{policy.pk}/edit", f"policies/{policy.pk}/delete"):
        assert as_stranger.get(f"/iam/{path}/").status_code == 404


def test_lists_are_searched_in_place_at_a_fixed_cost(
    as_owner: Client, acme: Tenant, globex: Tenant, django_assert_num_queries: DjangoAssertNumQueries
):
    make_policy(globex, name="theirs")
    for _ in range(8):
        make_group(acme, policies=[make_policy(acme)])

    with django_assert_num_queries(5):
        groups = as_owner.get("/iam/groups/", {"search": "GROUP"}, **FRAGMENT).content.decode()
    with django_assert_num_queries(4):
        policies = as_owner.get("/iam/policies/", **FRAGMENT).content.decode()

    assert groups.count("<tr>") == 9
    assert "KooMessage FullAccess" in policies
    assert "theirs" not in policies


def test_operation_protection_is_off_until_switched_on_and_asks_before_it_goes_off(
    as_owner: Client, owner: User, acme: Tenant
):
    owner.set_password(PASSWORD)
    owner.save()
    as_owner.force_login(owner, backend="iam.backends.StaffBackend")
    off_at_first = not acme.operation_protection

    on = as_owner.post("/iam/settings/", {"operation_protection": "on", "time_zone": "Asia/Tokyo"})
    unasked = as_owner.post("/iam/settings/", {"time_zone": "Asia/Tokyo"})
    acme.refresh_from_db()
    still_on = acme.operation_protection
    off = as_owner.post("/iam/settings/", {"time_zone": "Asia/Tokyo", "password": PASSWORD})

    acme.refresh_from_db()
    assert off_at_first
    assert (on.status_code, unasked.status_code, off.status_code) == (302, 422, 302)
    assert still_on
    assert (acme.operation_protection, acme.time_zone) == (False, "Asia/Tokyo")
    assert AuditEntry.objects.filter(action="iam:account:update").count() == 2


def test_guessing_the_password_that_switches_protection_off_is_stopped(
    as_owner: Client, owner: User, acme: Tenant, settings: Any
):
    settings.AXES_FAILURE_LIMIT = 2
    owner.set_password(PASSWORD)
    owner.save()
    as_owner.force_login(owner, backend="iam.backends.StaffBackend")
    as_owner.post("/iam/settings/", {"operation_protection": "on", "time_zone": "Asia/Tokyo"})

    for word in ("wrong", "wrong", PASSWORD):
        last = as_owner.post("/iam/settings/", {"time_zone": "Asia/Tokyo", "password": word})

    acme.refresh_from_db()
    assert last.status_code == 422 and "15" in last.content.decode()
    assert acme.operation_protection


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd"])
def test_a_time_zone_comes_from_the_list(as_owner: Client, zone: str):
    assert as_owner.post("/iam/settings/", {"time_zone": zone}).status_code == 422


def test_settings_belong_to_the_main_account(as_manager: Client):
    assert as_manager.get("/iam/settings/").status_code == 403
    assert as_manager.post("/iam/settings/", {"time_zone": "UTC"}).status_code == 403
