"""Signing in: as account/user, with one answer for every failure."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.models import AuditEntry, Tenant, User
from tests.factories import PASSWORD, make_staff, make_user

LOGIN = "/login/"


@pytest.fixture
def zhang(acme: Tenant) -> User:
    user = make_user(acme, name="zhang.san")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.mark.parametrize(
    ("account", "username"),
    [
        ("acme", "zhang.san"),
        (" ACME ", "Zhang.San"),
        ("", "acme/zhang.san"),
        ("", "ACME／ZHANG.SAN"),
        ("acme", "acme/zhang.san"),
        ("Acme/Zhang.San", ""),
    ],
)
def test_a_login_is_understood_however_it_is_split(client: Client, zhang: User, account: str, username: str):
    answer = client.post(LOGIN, {"account": account, "username": username, "password": PASSWORD})

    assert answer.status_code == 302
    assert answer["Location"] == reverse("console:overview")
    assert client.session["_auth_user_id"] == str(zhang.pk)
    assert AuditEntry.objects.filter(user=zhang, action="iam:session:create").exists()


def test_signing_in_gives_the_session_a_new_key(client: Client, zhang: User):
    session = client.session
    session["x"] = 1
    session.save()
    before = session.session_key

    client.post(LOGIN, {"account": "acme", "username": "zhang.san", "password": PASSWORD})

    assert client.session.session_key != before


def test_every_failure_has_the_same_answer(client: Client, zhang: User):
    make_user(zhang.tenant, name="closed", is_active=False)

    answers = [
        client.post(LOGIN, {"account": "acme", "username": name, "password": "no"})
        for name in ("zhang.san", "nobody", "closed")
    ]

    assert {answer.status_code for answer in answers} == {422}
    errors = {str(answer.context["form"].non_field_errors()) for answer in answers}
    assert len(errors) == 1
    assert 'value="nobody"' in answers[1].content.decode()


def test_an_unknown_name_costs_a_password_check_too(client: Client, zhang: User, monkeypatch: Any):
    hashed = []
    monkeypatch.setattr(User, "set_password", lambda user, raw: hashed.append(raw))

    client.post(LOGIN, {"account": "acme", "username": "nobody", "password": "guess"})

    assert hashed == ["guess"]


def test_the_user_name_is_needed(client: Client, db: Any):
    answer = client.post(LOGIN, {"account": "acme", "username": "", "password": "x"})

    assert answer.status_code == 422
    assert "username" in answer.context["form"].errors


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/email/domains/", "/email/domains/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_next_leads_only_to_our_own_pages(client: Client, zhang: User, target: str, expected: str):
    page = client.get(LOGIN, {"next": target})
    answer = client.post(
        LOGIN, {"account": "acme", "username": "zhang.san", "password": PASSWORD, "next": target}
    )

    assert page.status_code == 200
    assert answer["Location"] == expected


def test_staff_sign_in_without_an_account_and_land_in_the_admin(client: Client, db: Any):
    staff = make_staff(login="wang")
    staff.set_password(PASSWORD)
    staff.save()

    answer = client.post(LOGIN, {"account": "", "username": "Wang", "password": PASSWORD, "next": "/"})

    assert answer["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_too_many_failures_lock_the_login_and_say_for_how_long(client: Client, zhang: User, settings: Any):
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        answer = client.post(LOGIN, {"account": "acme", "username": "Zhang.San", "password": "no"})

    right = client.post(LOGIN, {"account": "ACME", "username": "zhang.san", "password": PASSWORD})
    other = client.post(LOGIN, {"account": "acme", "username": "other", "password": "no"})

    assert answer.status_code == 429
    assert right.status_code == 429
    assert "15" in right.content.decode()
    assert right["Retry-After"] == "900"
    assert other.status_code == 422


def test_who_is_signed_in_is_led_on(as_owner: Client):
    assert as_owner.get(LOGIN)["Location"] == "/"


def test_signing_out_takes_a_post(as_owner: Client):
    assert as_owner.get("/logout/").status_code == 405
    assert as_owner.post("/logout/")["Location"] == LOGIN
    assert as_owner.get("/password/")["Location"].startswith(LOGIN)


def test_a_disabled_user_is_out_at_once(client: Client, zhang: User):
    client.force_login(zhang, backend="iam.backends.StaffBackend")
    User.objects.filter(pk=zhang.pk).update(is_active=False)

    assert client.get("/password/").status_code == 302
