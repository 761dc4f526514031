"""Changing a password, and getting a new one by mail."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from iam.models import User
from tests.factories import PASSWORD

NEW = "a rather longer secret"


@pytest.fixture
def owner_with_password(owner: User) -> User:
    owner.set_password(PASSWORD)
    owner.save()
    return owner


def _link(client: Client, email: str, callbacks: Any) -> str:
    with callbacks(execute=True):
        answer = client.post("/password/forgotten/", {"email": email})
    assert answer.status_code == 200
    return re.search(r"http://[^/]+(/password/reset/\S+)", mail.outbox[-1].body)[1]  # type: ignore[index]


def test_a_change_keeps_this_session_and_ends_the_others(owner_with_password: User):
    here, there = Client(), Client()
    for client in (here, there):
        client.force_login(owner_with_password, backend="iam.backends.StaffBackend")

    answer = here.post("/password/", {"current_password": PASSWORD, "password": NEW, "password_again": NEW})

    assert answer.status_code == 302
    assert here.get("/password/").status_code == 200
    assert there.get("/password/").status_code == 302
    owner_with_password.refresh_from_db()
    assert owner_with_password.check_password(NEW)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"current_password": "wrong"}, "current_password"),
        ({"password": "short", "password_again": "short"}, "password"),
        ({"password": "1234567890123", "password_again": "1234567890123"}, "password"),
        ({"password_again": "something else"}, "password_again"),
    ],
)
def test_a_bad_change_is_refused_at_its_field(owner_with_password: User, values: dict[str, str], field: str):
    client = Client()
    client.force_login(owner_with_password, backend="iam.backends.StaffBackend")

    answer = client.post(
        "/password/", {"current_password": PASSWORD, "password": NEW, "password_again": NEW, **values}
    )

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_visitors_cannot_change_a_password(client: Client, db: Any):
    assert client.get("/password/")["Location"] == "/login/?next=/password/"


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(
    client: Client, owner_with_password: User, django_capture_on_commit_callbacks: Any
):
    link = _link(client, owner_with_password.email.upper(), django_capture_on_commit_callbacks)

    assert mail.outbox[-1].to == [owner_with_password.email]
    assert owner_with_password.login in mail.outbox[-1].body
    assert client.get(link).status_code == 200
    assert client.post(link, {"password": "short", "password_again": "short"}).status_code == 422
    assert client.post(link, {"password": NEW, "password_again": NEW})["Location"] == "/login/"
    owner_with_password.refresh_from_db()
    assert owner_with_password.check_password(NEW)
    assert client.get(link).status_code == 410
    assert client.post(link, {"password": PASSWORD, "password_again": PASSWORD}).status_code == 410


def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    client: Client, owner_with_password: User, django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        unknown = client.post("/password/forgotten/", {"email": "nobody@acme.example"})
        known = client.post("/password/forgotten/", {"email": owner_with_password.email})

    strip = re.compile(r'Token": "\w+|value="[^"]*"|[\w.]+@[\w.]+')
    assert strip.sub("", unknown.content.decode()) == strip.sub("", known.content.decode())
    assert [message.to for message in mail.outbox] == [[owner_with_password.email]]


def test_nobody_can_flood_a_mailbox(
    client: Client, owner_with_password: User, django_capture_on_commit_callbacks: Any
):
    for _ in range(8):
        _link(client, owner_with_password.email, django_capture_on_commit_callbacks)

    assert len(mail.outbox) == 5


def test_no_address_is_refused(client: Client, db: Any):
    assert client.post("/password/forgotten/", {"email": "nonsense"}).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/password/reset/x/y/",
        "/password/reset/MQ/abc-def/",
        "/password/reset/OTk5OTk5OTk5OTk5OTk5OTk5OTk5/a-b/",
    ],
)
def test_links_that_are_none_of_ours_are_gone(client: Client, db: Any, path: str):
    assert client.get(path).status_code == 410


def test_a_new_password_lifts_the_lock(
    client: Client, owner_with_password: User, settings: Any, django_capture_on_commit_callbacks: Any
):
    settings.AXES_FAILURE_LIMIT = 2
    wrong = {"account": "acme", "username": "owner", "password": "no"}
    assert [client.post("/login/", wrong).status_code for _ in range(3)][-1] == 429

    link = _link(client, owner_with_password.email, django_capture_on_commit_callbacks)
    client.post(link, {"password": NEW, "password_again": NEW})

    assert client.post("/login/", {**wrong, "password": NEW}).status_code == 302
