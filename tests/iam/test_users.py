"""权限管理: users, what they may do, and that nobody gives more than they hold."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from iam.models import AuditEntry, Policy, Tenant, User
from iam.policies import FULL_ACCESS, READ_ONLY
from koomessage.common.permissions import may
from tests.conftest import FRAGMENT
from tests.factories import make_user
from tests.factories_iam import make_group, make_policy

DENY_CREATE = {
    "Version": "1.1",
    "Statement": [{"Effect": "Deny", "Action": ["kooMessage:emailDomain:create"]}],
}
MANAGE = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["iam:*:*", "kooMessage:*:list"]}]}
SECRET = "a rather longer secret"


def form(**overrides: Any) -> dict[str, Any]:
    fields = {"name": "li.lei", "email": "li@acme.example", "password": SECRET, "password_again": SECRET}
    return {**fields, **overrides}


@pytest.fixture
def as_manager(acme: Tenant) -> Client:
    """An IAM user who manages users, and may list things; nothing more."""
    client = Client()
    client.force_login(
        make_user(acme, name="manager", policies=[MANAGE]), backend="iam.backends.StaffBackend"
    )
    return client


def system(name: str = "KooMessage FullAccess") -> Policy:
    return Policy.objects.get(tenant=None, name=name)


def test_a_new_user_signs_in_and_can_do_nothing_until_given_something(as_owner: Client, acme: Tenant):
    answer = as_owner.post("/iam/users/add/", form())

    member = User.objects.get(login="acme/li.lei")
    client = Client()
    signed_in = client.post("/login/", {"account": "acme", "username": "li.lei", "password": SECRET})
    assert answer["Location"] == "/iam/"
    assert signed_in.status_code == 302
    assert client.get("/email/domains/").status_code == 403
    assert client.get("/iam/").status_code == 403
    assert not may(member, "email_service.list_domain")
    assert AuditEntry.objects.filter(action="iam:user:create", target="acme/li.lei").exists()


def test_groups_and_policies_count_from_the_first_request(as_owner: Client, acme: Tenant):
    group = make_group(acme, policies=[system("KooMessage ReadOnlyAccess")])
    deny = make_policy(acme, document=DENY_CREATE)

    as_owner.post("/iam/users/add/", form(groups=[group.pk], policies=[deny.pk, system().pk]))

    member = User.objects.get(login="acme/li.lei")
    assert may(member, "email_service.list_domain")
    assert may(member, "email_service.add_address")
    assert not may(member, "email_service.add_domain")
    assert not may(member, "iam.list_user")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "x"}, "name"),
        ({"name": "OWNER"}, "name"),
        ({"email": "none"}, "email"),
        ({"password": "short", "password_again": "short"}, "password"),
        ({"password_again": "no"}, "password_again"),
        ({"policies": ["999999"]}, "policies"),
    ],
)
def test_bad_input_is_refused_at_its_field(as_owner: Client, values: dict[str, Any], field: str):
    answer = as_owner.post("/iam/users/add/", form(**values))

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert User.objects.count() == 1


def test_another_accounts_groups_and_policies_cannot_be_given(as_owner: Client, globex: Tenant):
    foreign = make_policy(globex, document=READ_ONLY)

    assert as_owner.post("/iam/users/add/", form(policies=[foreign.pk])).status_code == 422
    assert as_owner.post("/iam/users/add/", form(groups=[make_group(globex).pk])).status_code == 422


def test_a_manager_gives_what_it_holds_and_no_more(as_manager: Client, acme: Tenant):
    lists = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["kooMessage:*:list"]}]}
    held, more = make_policy(acme, document=lists), system()
    group = make_group(acme, policies=[more])

    by_policy = as_manager.post("/iam/users/add/", form(policies=[more.pk]))
    by_group = as_manager.post("/iam/users/add/", form(groups=[group.pk]))
    fine = as_manager.post("/iam/users/add/", form(policies=[held.pk]))

    assert (by_policy.status_code, by_group.status_code, fine.status_code) == (422, 422, 302)
    assert "kooMessage:emailAddress:create" in by_policy.content.decode()


def test_taking_a_deny_away_is_giving(as_manager: Client, acme: Tenant):
    deny = make_policy(acme, document=DENY_CREATE)
    member = make_user(acme, name="held")
    member.policies.add(deny, system())
    url = f"/iam/users/{member.pk}/edit/"

    lifted = as_manager.post(url, {"email": member.email, "policies": [system().pk]})
    taken = as_manager.post(url, {"email": member.email, "policies": [deny.pk]})

    assert (lifted.status_code, taken.status_code) == (422, 302)
    assert list(member.policies.all()) == [deny]


def test_a_mailbox_that_opens_more_rights_cannot_be_swapped(as_manager: Client, acme: Tenant):
    member = make_user(acme, name="powerful", policies=[FULL_ACCESS])
    bound = list(member.policies.values_list("pk", flat=True))

    answer = as_manager.post(
        f"/iam/users/{member.pk}/edit/", {"email": "mine@acme.example", "policies": bound}
    )

    member.refresh_from_db()
    assert answer.status_code == 422
    assert member.email == "powerful@acme.example"


def test_disabling_ends_sessions_and_enabling_needs_the_rights(
    as_owner: Client, as_manager: Client, acme: Tenant
):
    member = make_user(acme, name="powerful", policies=[FULL_ACCESS])
    client = Client()
    client.force_login(member, backend="iam.backends.StaffBackend")

    asked = as_owner.get(f"/iam/users/{member.pk}/disable/", **FRAGMENT)
    done = as_owner.post(f"/iam/users/{member.pk}/disable/")
    out = client.get("/email/domains/")
    refused = as_manager.post(f"/iam/users/{member.pk}/enable/")
    back = as_owner.post(f"/iam/users/{member.pk}/enable/")

    member.refresh_from_db()
    assert (asked.status_code, done.status_code, out.status_code) == (200, 302, 302)
    assert b"<html" not in asked.content
    assert (refused.status_code, back.status_code) == (422, 302)
    assert member.is_active


def test_the_main_account_and_oneself_cannot_be_disabled(as_owner: Client, as_manager: Client, owner: User):
    manager = User.objects.get(login="acme/manager")

    assert as_manager.post(f"/iam/users/{owner.pk}/disable/").status_code == 422
    assert as_manager.post(f"/iam/users/{owner.pk}/edit/", {"email": "x@acme.example"}).status_code == 422
    assert as_manager.post(f"/iam/users/{manager.pk}/disable/").status_code == 422
    assert User.objects.filter(is_active=False).count() == 0


@pytest.mark.parametrize("path", ["", "edit/", "disable/", "enable/"])
def test_another_accounts_user_is_not_there(as_stranger: Client, owner: User, path: str):
    assert as_stranger.get(f"/iam/users/{owner.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["", "users/", "users/add/", "groups/", "policies/", "settings/"])
def test_system_policies_do_not_open_these_pages(
    path: str, acme: Tenant, as_newcomer: Client, client: Client
):
    worker = Client()
    worker.force_login(make_user(acme, policies=[FULL_ACCESS]), backend="iam.backends.StaffBackend")

    assert worker.get(f"/iam/{path}").status_code == 403
    assert as_newcomer.get(f"/iam/{path}").status_code == 403
    assert client.get(f"/iam/{path}").status_code == 302


def test_the_list_is_searched_in_place(as_owner: Client, acme: Tenant):
    make_user(acme, name="alpha")
    make_user(acme, name="beta", is_active=False)

    found = as_owner.get("/iam/", {"search": "ALPH"}, **FRAGMENT).content.decode()
    disabled = as_owner.get("/iam/", {"status": "disabled"}, **FRAGMENT).content.decode()

    assert "<html" not in found
    assert "acme/alpha" in found
    assert "acme/beta" not in found
    assert "acme/beta" in disabled
    assert "acme/alpha" not in disabled


def test_the_list_asks_as_often_for_many_as_for_one(
    as_owner: Client, acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
):
    group = make_group(acme, policies=[system()])
    for number in range(12):
        member = make_user(acme, name=f"user{number}", policies=[READ_ONLY])
        group.users.add(member)

    with django_assert_num_queries(6):
        as_owner.get("/iam/", **FRAGMENT)


def test_a_user_page_says_where_each_policy_comes_from(as_owner: Client, acme: Tenant):
    member = make_user(acme, name="alpha", policies=[READ_ONLY])
    group = make_group(acme, policies=[system()], users=[member])

    page = as_owner.get(f"/iam/users/{member.pk}/").content.decode()

    assert "KooMessage FullAccess" in page
    assert group.name in page
