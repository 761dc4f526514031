"""Nobody becomes more than they are: the admin is closed to accounts, and forms take what they ask for only."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse

from billing.models import Order
from email_service.addresses.models import Address
from email_service.domains.models import Domain
from email_service.mail_templates.models import Template
from email_service.send_tasks.models import Task
from email_service.setup.models import EmailService
from iam.models import Tenant, User, UserGroup
from tests.factories import make_email_service, make_tenant, make_user
from tests.koomessage.world import make_known_world, make_world

SAMPLES = {
    "object_id": "1",
    "id": "1",
    "pk": "1",
    "content_type_id": "1",
    "app_label": "iam",
    "url": "nowhere",
}
# What a form never asks for; posted along with everything it does.
MORE = {
    "is_staff": "on", "is_superuser": "on", "is_main": "on", "is_active": "on", "login": "root",
    "status": "approved", "verification": "verified", "verified_at": "2026-01-01", "activated_at": "2026-01-01",
    "sensitive": "", "price": "0.01", "amount": "0.01", "units": "999999999", "total": "999999999",
    "balance": "999999", "paid_at": "2026-01-01", "pay_as_you_go": "on", "code": "M00000001",
    "user_permissions": "1", "paused": "",
}  # fmt: skip
SECRET = "a long and unusual sentence"


def admin_addresses() -> Iterator[tuple[str, str]]:
    """Every address of the admin, with sample words in it."""
    patterns, namespace = admin.site.urls[0], admin.site.name
    for name, found in _named(patterns):
        words = {word: SAMPLES[word] for word in found}
        try:
            yield name, reverse(f"{namespace}:{name}", kwargs=words)
        except NoReverseMatch:  # the admin's choice of words for app_label, or a nameless rest
            continue


def _named(patterns: list[Any]) -> Iterator[tuple[str, set[str]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _named(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            route = pattern.pattern
            yield pattern.name, set(route.converters) | set(getattr(route, "regex", route).groupindex)


ADDRESSES = dict(admin_addresses())
# The sign-in page itself is for whoever comes; signing out and the words of its scripts give nothing away.
OPEN_TO_ALL = {"login", "logout", "jsi18n"}
CLOSED = sorted(set(ADDRESSES) - OPEN_TO_ALL)


def test_the_crawl_of_the_admin_reaches_every_table():
    labels = {f"{table._meta.app_label}_{table._meta.model_name}" for table in admin.site._registry}

    assert {
        f"{label}_{page}" for label in labels for page in ("changelist", "add", "change", "delete")
    } <= set(CLOSED)


@pytest.mark.parametrize("name", CLOSED)
def test_the_admin_is_closed_to_accounts_and_visitors(name: str, client: Client, as_owner: Client):
    address = ADDRESSES[name]
    for answer in (client.get(address), as_owner.get(address), as_owner.post(address, MORE)):
        is_sent_away = answer.status_code == 302 and answer["Location"].startswith(reverse("admin:login"))
        assert is_sent_away or answer.status_code in (403, 404), answer.status_code


def test_the_admins_sign_in_takes_nobody_of_an_account(client: Client, owner: User):
    owner.set_password(SECRET)
    owner.save()

    answer = client.post(reverse("admin:login"), {"username": owner.login, "password": SECRET})

    assert answer.status_code == 200
    assert client.get(reverse("admin:index")).status_code == 302


def test_rights_of_the_admin_do_nothing_for_people_of_accounts(as_owner: Client, owner: User):
    owner.user_permissions.set(Permission.objects.all())

    for name in ("admin:index", "admin:iam_tenant_changelist", "admin:billing_order_changelist"):
        assert as_owner.get(reverse(name)).status_code == 302


def people() -> list[tuple[Any, ...]]:
    facts = ("login", "tenant", "is_main", "is_staff", "is_superuser")
    return list(User.objects.order_by("pk").values_list(*facts))


def test_a_new_user_is_made_of_what_the_form_asks_for(as_owner: Client, acme: Tenant, globex: Tenant):
    asked = {"name": "wang", "email": "wang@acme.example", "password": SECRET, "password_again": SECRET}

    answer = as_owner.post(
        reverse("iam:user_add"), {**MORE, **asked, "tenant": globex.pk, "tenant_id": globex.pk}
    )

    assert answer.status_code == 302
    assert people()[-1] == ("acme/wang", acme.pk, False, False, False)
    assert not User.objects.get(login="acme/wang").user_permissions.exists()


def test_changing_a_user_changes_what_the_form_asks_for(as_owner: Client, acme: Tenant, globex: Tenant):
    member = make_user(acme, name="wang", is_active=False)
    before = people()

    answer = as_owner.post(
        reverse("iam:user_edit", args=[member.pk]),
        {**MORE, "email": "new@acme.example", "tenant": globex.pk, "password": SECRET},
    )

    member.refresh_from_db()
    assert answer.status_code == 302
    assert people() == before
    assert (member.email, member.is_active, member.has_usable_password()) == (
        "new@acme.example",
        False,
        False,
    )


def test_a_new_account_is_made_of_what_the_form_asks_for(client: Client, acme: Tenant):
    asked = {
        "account": "wayne", "enterprise_name": "Wayne", "user_name": "bruce", "email": "bruce@wayne.example",
        "password": SECRET, "password_again": SECRET,
    }  # fmt: skip

    client.post(reverse("iam:signup"), {**MORE, **asked, "tenant": acme.pk})

    tenant = Tenant.objects.get(account="wayne")
    assert people()[-1] == ("wayne/bruce", tenant.pk, True, False, False)
    assert not User.objects.get(login="wayne/bruce").is_active
    assert not (tenant.is_verified or tenant.is_activated or tenant.pay_as_you_go)


@pytest.mark.parametrize("name", ["iam:settings", "iam:password_change", "iam:verification", "iam:activate"])
def test_ones_own_pages_change_no_right(name: str, as_owner: Client, acme: Tenant, owner: User):
    owner.set_password(SECRET)
    make_user(acme, name="wang")
    before = people()

    as_owner.post(reverse(name), {**MORE, "tenant": "", "time_zone": "UTC", "current_password": SECRET})

    acme.refresh_from_db()
    assert people() == before
    assert (acme.account, acme.verification) == ("acme", Tenant.Verification.VERIFIED)


def test_a_domain_is_not_verified_by_saying_so(as_owner: Client, acme: Tenant, globex: Tenant):
    as_owner.post(
        reverse("email:domain_add"),
        {**MORE, "name": "said.example", "status": "verified", "tenant": globex.pk},
    )

    domain = Domain.objects.get(name="said.example")
    assert (domain.tenant, domain.status, domain.verified_at) == (acme, Domain.Status.UNVERIFIED, None)


def test_a_sensitive_accounts_template_is_not_approved_by_saying_so(as_owner: Client, acme: Tenant):
    EmailService.objects.filter(tenant=acme).update(sensitive=True)
    asked = {"title": "Said", "body_type": "plain", "body": "Good day.", "action": "submit"}

    as_owner.post(reverse("email:template_add"), {**MORE, **asked})

    template = Template.objects.for_tenant(acme).get()
    assert (template.status, template.code == MORE["code"]) == (Template.Status.PENDING, False)


def test_an_order_costs_what_the_catalogue_says(as_owner: Client, acme: Tenant):
    order = make_world(acme).order
    page = as_owner.get(reverse("billing:package_purchase"))
    token = page.context["form"]["token"].value()

    as_owner.post(
        reverse("billing:package_purchase"), {**MORE, "spec": order.spec_id, "quantity": 2, "token": token}
    )

    bought = Order.objects.for_tenant(acme).latest("pk")
    assert bought.pk != order.pk
    assert (bought.price, bought.units, bought.paid_at) == (order.spec.price, order.spec.units, None)


@pytest.fixture
def others() -> Any:
    return make_known_world("globex")


def test_forms_take_no_row_of_another_account(as_owner: Client, acme: Tenant, others: Any):
    """What a menu did not offer is not taken either; and the answer does not say that it exists."""
    attempts: dict[str, tuple[set[str], dict[str, Any]]] = {
        "iam:user_add": (
            {"groups", "policies"},
            {
                "name": "wang", "email": "w@acme.example", "password": SECRET, "password_again": SECRET,
                "groups": others.group.pk, "policies": others.policy.pk,
            },
        ),
        "iam:group_add": (
            {"policies", "members"},
            {"name": "Us", "policies": others.policy.pk, "members": others.member.pk},
        ),
        "email:address_add": (
            {"domain"},
            {"domain": others.address.domain_id, "prefix": "news", "alias": "News"},
        ),
        "email:task_add": (
            {"template", "address"},
            {"name": "Theirs", "template": others.template.pk, "address": others.address.pk},
        ),
    }  # fmt: skip
    counts = [table.objects.filter(tenant=acme).count() for table in (User, UserGroup, Address, Task)]

    for name, (refused, posted) in attempts.items():
        answer = as_owner.post(reverse(name), posted)
        assert answer.status_code == 422, name
        assert refused <= set(answer.context["form"].errors), name

    assert [table.objects.filter(tenant=acme).count() for table in (User, UserGroup, Address, Task)] == counts


def test_a_template_of_another_account_is_shown_nowhere_in_the_task_form(as_owner: Client, others: Any):
    Template.objects.filter(pk=others.template.pk).update(title="GLOBEXONLY", code="M99999999")

    for name in (
        "email:task_add",
        "email:task_preview",
        "email:task_test",
        "email:task_frame",
        "email:task_sample",
    ):
        ask = as_owner.post if name in ("email:task_preview", "email:task_test") else as_owner.get
        answer = ask(reverse(name), {"template": others.template.pk, "address": others.address.pk})
        assert b"GLOBEXONLY" not in answer.content
        assert others.address.address.encode() not in answer.content
        assert "M99999999" not in answer.headers.get("Content-Disposition", "")


def test_names_another_account_uses_are_free(as_owner: Client, acme: Tenant, others: Any):
    """A refusal would tell that another account has the name."""
    assert (
        as_owner.post(reverse("iam:group_add"), {"name": others.group.name, "description": ""}).status_code
        == 302
    )
    assert as_owner.post(reverse("email:domain_add"), {"name": others.domain.name}).status_code == 302
    assert (
        as_owner.post(reverse("email:suppression_add"), {"address": others.suppression.address}).status_code
        == 302
    )


def test_taking_a_right_away_counts_from_the_next_request(acme: Tenant, as_reader: Client, reader: User):
    assert as_reader.get(reverse("email:domain_list")).status_code == 200

    reader.policies.clear()

    assert as_reader.get(reverse("email:domain_list")).status_code == 403


def test_a_session_does_not_outlive_signing_out(owner: User):
    client = Client()
    client.force_login(owner, backend="iam.backends.StaffBackend")
    stolen = client.cookies["sessionid"].value
    client.post(reverse("iam:logout"))

    thief = Client()
    thief.cookies["sessionid"] = stolen

    assert thief.get(reverse("console:overview")).status_code == 302


def test_a_person_sees_the_account_they_belong_to_and_no_other(as_owner: Client):
    other = make_tenant(account="other")
    make_email_service(other)

    assert (
        as_owner.get(reverse("email:domain_list"), {"tenant": other.pk}).context["request"].tenant.account
        == "acme"
    )
