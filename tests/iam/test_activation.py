"""开通: once, by the main account of a verified enterprise that accepts both statements."""

from typing import Any

import pytest
from django.test import Client

from iam.agreements import AGREEMENTS
from iam.models import AgreementAcceptance, AuditEntry, Tenant
from iam.policies import FULL_ACCESS
from tests.factories import make_tenant, make_user


@pytest.fixture
def initech(db: Any) -> Tenant:
    return make_tenant(account="initech", activated_at=None, pay_as_you_go=False)


@pytest.fixture
def as_boss(initech: Tenant) -> Client:
    client = Client()
    client.force_login(make_user(initech, name="boss", is_main=True), backend="iam.backends.StaffBackend")
    return client


@pytest.fixture
def as_clerk(initech: Tenant, as_boss: Client) -> Client:
    client = Client()
    clerk = make_user(initech, name="clerk", policies=[FULL_ACCESS])
    client.force_login(clerk, backend="iam.backends.StaffBackend")
    return client


def test_accepting_activates_and_records_what_was_accepted(as_boss: Client, initech: Tenant):
    page = as_boss.get("/activate/").content.decode()
    answer = as_boss.post("/activate/", {"accepted": "on"}, REMOTE_ADDR="192.0.2.9")

    initech.refresh_from_db()
    assert "/agreements/service/" in page
    assert "/agreements/sms/" in page
    assert answer["Location"] == "/"
    assert initech.is_activated
    assert initech.pay_as_you_go
    accepted = AgreementAcceptance.objects.filter(tenant=initech)
    assert {(row.agreement, row.version) for row in accepted} == {
        (a.slug, a.version) for a in AGREEMENTS.values()
    }
    assert {row.ip_address for row in accepted} == {"192.0.2.9"}
    assert AuditEntry.objects.filter(tenant=initech, action="iam:account:activate").exists()


def test_the_box_is_required_by_the_server(as_boss: Client, initech: Tenant):
    answer = as_boss.post("/activate/", {})

    initech.refresh_from_db()
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["accepted"]
    assert not initech.is_activated


def test_activation_happens_once(as_boss: Client, initech: Tenant):
    as_boss.post("/activate/", {"accepted": "on"})
    initech.refresh_from_db()
    first = initech.activated_at

    assert as_boss.get("/activate/")["Location"] == "/"
    assert as_boss.post("/activate/", {"accepted": "on"})["Location"] == "/"
    initech.refresh_from_db()
    assert initech.activated_at == first
    assert AgreementAcceptance.objects.count() == 2


@pytest.mark.parametrize("state", ["unverified", "pending", "rejected"])
def test_an_enterprise_that_is_not_verified_is_led_to_verification(
    as_boss: Client, initech: Tenant, state: str
):
    Tenant.objects.filter(pk=initech.pk).update(verification=state)

    page = as_boss.get("/activate/").content.decode()
    answer = as_boss.post("/activate/", {"accepted": "on"})

    initech.refresh_from_db()
    assert 'href="/verification/"' in page
    assert 'name="accepted"' not in page
    assert answer.status_code == 422
    assert not initech.is_activated


def test_iam_users_see_who_can_activate_whatever_their_policies(as_clerk: Client, initech: Tenant):
    page = as_clerk.get("/activate/")

    assert "initech/boss" in page.content.decode()
    assert 'name="accepted"' not in page.content.decode()
    assert as_clerk.post("/activate/", {"accepted": "on"}).status_code == 403
    initech.refresh_from_db()
    assert not initech.is_activated


@pytest.mark.parametrize("path", ["/", "/email/domains/"])
def test_before_activation_every_service_page_leads_here(as_boss: Client, as_clerk: Client, path: str):
    assert as_boss.get(path)["Location"] == "/activate/"
    assert as_clerk.get(path)["Location"] == "/activate/"


def test_visitors_and_staff_do_not_activate(client: Client, as_operator: Client):
    assert client.get("/activate/")["Location"].startswith("/login/")
    assert as_operator.get("/activate/").status_code == 403


@pytest.mark.parametrize("slug", list(AGREEMENTS))
@pytest.mark.parametrize(("language", "word"), [("zh-hans", "本声明"), ("en", "This statement")])
def test_anybody_reads_the_statements_in_both_languages(
    client: Client, db: Any, slug: str, language: str, word: str
):
    client.cookies["django_language"] = language

    answer = client.get(f"/agreements/{slug}/")

    assert answer.status_code == 200
    assert word in answer.content.decode()


def test_there_are_no_other_statements(client: Client, db: Any):
    assert client.get("/agreements/other/").status_code == 404
