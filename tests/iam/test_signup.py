"""Opening an enterprise account, by a confirmed e-mail."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from iam.models import AuditEntry, Tenant, User

FORM = {
    "account": "Initech",
    "enterprise_name": "英尼科技有限公司",
    "user_name": "",
    "email": "boss@initech.example",
    "password": "a rather longer secret",
    "password_again": "a rather longer secret",
}


@pytest.fixture
def sent(client: Client, db: Any, django_capture_on_commit_callbacks: Any) -> str:
    """The path of the confirmation link after a sign-up."""
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/signup/", FORM)
    assert answer["Location"] == "/signup/sent/"
    return re.search(r"http://[^/]+(/signup/confirm/\S+)", mail.outbox[-1].body)[1]  # type: ignore[index]


def test_an_account_opens_once_its_e_mail_is_confirmed(client: Client, sent: str):
    user = User.objects.get(login="initech/initech")
    credentials = {"account": "initech", "username": "initech", "password": FORM["password"]}
    before = client.post("/login/", credentials)

    page = client.get(sent)
    user.refresh_from_db()
    still_closed = not user.is_active
    confirmed = client.post(sent)

    assert before.status_code == 422
    assert page.status_code == 200
    assert still_closed
    assert confirmed["Location"] == "/login/"
    assert client.post("/login/", credentials).status_code == 302
    tenant = Tenant.objects.get(account="initech")
    assert (tenant.name, tenant.verification, tenant.is_activated) == (
        FORM["enterprise_name"],
        "unverified",
        False,
    )
    assert user.is_main
    assert list(AuditEntry.objects.filter(tenant=tenant).order_by("pk").values_list("action", flat=True))[
        :2
    ] == [
        "iam:account:create",
        "iam:account:confirm",
    ]


def test_the_mail_is_plain_text_in_the_readers_language(
    client: Client, db: Any, django_capture_on_commit_callbacks: Any
):
    client.cookies["django_language"] = "en"
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/signup/", {**FORM, "enterprise_name": "A & B"})

    message = mail.outbox[0]
    assert message.to == [FORM["email"]]
    assert "Hello A & B," in message.body
    assert message.alternatives == []


def test_the_main_user_may_have_a_name_of_its_own(client: Client, db: Any):
    client.post("/signup/", {**FORM, "user_name": "Boss"})

    assert User.objects.get(login="initech/boss").name == "Boss"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"account": "ab"}, "account"),
        ({"account": "a/b"}, "account"),
        ({"account": "ACME"}, "account"),
        ({"account": "x" * 33}, "account"),
        ({"enterprise_name": ""}, "enterprise_name"),
        ({"user_name": "a b c"}, "user_name"),
        ({"email": "boss@localhost"}, "email"),
        ({"password_again": "different"}, "password_again"),
        (
            {
                "password": "initech-123",
                "password_again": "initech-123",
                "user_name": "initech-123",
            },
            "password",
        ),
    ],
)
def test_bad_input_is_refused_at_its_field_and_nothing_typed_is_lost(
    client: Client, acme: Tenant, values: dict[str, str], field: str
):
    answer = client.post("/signup/", {**FORM, "enterprise_name": "Kept Ltd", **values})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Tenant.objects.count() == 1
    assert values.get("enterprise_name", "Kept Ltd") in answer.content.decode()


def test_sign_ups_from_one_address_are_limited(client: Client, db: Any, settings: Any):
    settings.SIGN_UPS_AN_HOUR = 2

    codes = [client.post("/signup/", {**FORM, "account": f"initech{i}"}).status_code for i in range(3)]
    elsewhere = client.post("/signup/", {**FORM, "account": "initech9"}, REMOTE_ADDR="192.0.2.7").status_code

    assert codes == [302, 302, 422]
    assert elsewhere == 302


def test_a_link_stops_working_after_three_days(client: Client, sent: str):
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1), tick=False):
        assert client.get(sent).status_code == 410
        assert client.post(sent).status_code == 410
    assert not User.objects.get(login="initech/initech").is_active


def test_a_link_that_was_changed_is_refused(client: Client, sent: str):
    assert client.get(sent[:-3] + "xx/").status_code == 410


def test_pressing_twice_changes_nothing_and_reopens_no_closed_user(client: Client, sent: str):
    client.post(sent)
    User.objects.filter(login="initech/initech").update(is_active=False)

    assert client.post(sent).status_code == 302
    assert not User.objects.get(login="initech/initech").is_active


def test_the_mail_can_be_had_again_a_few_times(
    client: Client, sent: str, django_capture_on_commit_callbacks: Any
):
    assert FORM["email"] in client.get("/signup/sent/").content.decode()
    for _ in range(7):
        with django_capture_on_commit_callbacks(execute=True):
            answer = client.post("/signup/resend/", {"email": FORM["email"]})
        assert answer["Location"] == "/signup/sent/"

    assert len(mail.outbox) == 6


def test_asking_again_for_an_unknown_address_answers_alike(client: Client, db: Any):
    assert client.get("/signup/resend/").status_code == 200
    assert client.post("/signup/resend/", {"email": "nobody@initech.example"})["Location"] == "/signup/sent/"
    assert client.post("/signup/resend/", {"email": "?"}).status_code == 422
    assert mail.outbox == []
