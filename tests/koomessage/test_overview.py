"""总览, the shell around every page, and its preferences."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from iam.models import Tenant, User
from koomessage.console.queries import guide
from tests.factories import make_tenant, make_user
from tests.factories_sending import make_report, make_task, make_version


def test_a_new_account_is_shown_its_first_step(as_owner: Client):
    page = as_owner.get("/").content.decode()

    assert page.count("guide-step is-next") == 1
    assert "is-done" not in page
    assert "购买套餐包" in page


def test_a_test_mail_to_oneself_completes_neither_template_nor_task(acme: Tenant):
    make_task(acme, template=None, template_version=make_version(None))

    assert [step.is_done for step in guide(acme)][2:4] == [False, False]


def test_counts_and_steps_follow_what_the_account_did(as_owner: Client, acme: Tenant):
    task = make_task(tenant=acme)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    make_report(task, hour, succeeded=3, failed=1)

    page = as_owner.get("/").content.decode()

    assert '<div class="stat-value tabular">4</div>' in page
    assert "75.00%" in page
    assert page.count("guide-step is-done") >= 3


def test_another_accounts_sending_is_not_counted(as_owner: Client, globex: Tenant):
    task = make_task(tenant=globex)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    make_report(task, hour, succeeded=7)

    assert '<div class="stat-value tabular">7</div>' not in as_owner.get("/").content.decode()


def test_the_overview_costs_a_fixed_number_of_queries(
    as_owner: Client, acme: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
):
    for _number in range(8):
        make_task(acme)
    # Session, user, account, guide, sending, failures (two), tasks, domains, packages, billing account, losses.
    with django_assert_max_num_queries(12):
        as_owner.get("/")


def test_an_account_that_is_not_activated_is_led_to_activation(client: Client, db: None):
    client.force_login(
        make_user(make_tenant(activated_at=None), is_main=True), backend="iam.backends.StaffBackend"
    )

    for address in ("/", "/packages/", "/email/domains/", "/email/tasks/add/"):
        assert client.get(address)["Location"] == "/activate/"


def test_email_pages_say_what_to_do_until_an_operator_configured_them(client: Client, db: None):
    client.force_login(
        make_user(make_tenant(account="fresh"), is_main=True), backend="iam.backends.StaffBackend"
    )

    page = client.get("/email/domains/").content.decode()

    assert "fresh" in page
    assert "运营人员" in page


def test_visitors_are_sent_to_sign_in_and_staff_to_the_administration(client: Client, as_operator: Client):
    assert client.get("/")["Location"] == "/login/?next=/"
    assert as_operator.get("/")["Location"] == "/admin/"


def test_an_iam_user_without_rights_sees_no_entry_it_may_not_open(as_newcomer: Client):
    page = as_newcomer.get("/").content.decode()

    assert "/email/domains/" not in page.split("<main", 1)[0]
    assert as_newcomer.get("/email/domains/").status_code == 403


@pytest.mark.parametrize(("language", "word"), [("en", "Overview"), ("zh-hans", "总览")])
def test_the_language_is_the_readers_choice(as_owner: Client, language: str, word: str):
    answer = as_owner.post("/language/", {"language": language, "next": "/"})

    assert answer["Location"] == "/"
    assert f'<h1 class="page-title">{word}</h1>' in as_owner.get("/").content.decode()


def test_preferences_lead_nowhere_else_and_keep_odd_values_out(as_owner: Client):
    answer = as_owner.post("/theme/", {"theme": "neon", "next": "https://evil.example/"})

    assert answer["Location"] == "/"
    assert "theme" not in as_owner.cookies
    as_owner.post("/theme/", {"theme": "dark"})
    assert 'data-bs-theme="dark"' in as_owner.get("/").content.decode()


def test_no_page_may_run_inline_script(as_owner: Client):
    policy = as_owner.get("/")["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_errors_have_pages_in_the_readers_language(as_owner: Client):
    answer = as_owner.get("/email/nothing-here/")

    assert answer.status_code == 404
    assert "总览" in answer.content.decode()


def test_times_read_the_same_in_the_administration(as_operator: Client, owner: User):
    page = as_operator.get("/admin/iam/tenant/").content.decode()

    assert timezone.localtime(owner.tenant.created_at).strftime("%Y-%m-%d %H:%M:%S") in page


def test_a_form_without_its_token_is_told_what_to_do(owner: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="iam.backends.StaffBackend")

    answer = client.post("/theme/", {"theme": "dark"})

    assert answer.status_code == 403
    assert "刷新页面" in answer.content.decode()
