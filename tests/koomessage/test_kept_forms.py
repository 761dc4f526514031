"""What somebody had filled in when the session ended is not lost, and nobody else gets to see it."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from email_service.mail_templates.models import Template
from email_service.send_tasks.models import Task
from iam import jobs
from iam.models import Tenant, User
from koomessage.common import kept_forms
from tests.conftest import FRAGMENT
from tests.factories import PASSWORD, make_staff, make_user
from tests.factories_domains import make_address, make_domain
from tests.factories_sending import make_version
from tests.koomessage.keeping import (
    ADD,
    FORM,
    KEPT,
    LOGIN,
    LONG,
    end_session,
    kept_fields,
    sign_in,
    with_password,
)


@pytest.fixture
def owner(acme: Tenant) -> User:
    return with_password(make_user(acme, name="owner", is_main=True))


@pytest.fixture
def visitor(owner: User) -> Client:
    """A browser at which the owner was signed in until the session ended."""
    client = Client()
    sign_in(client, owner)
    assert client.get("/").status_code == 200
    end_session(client)
    return client


def test_a_long_template_survives_signing_in_and_is_stored(visitor: Client, owner: User) -> None:
    sent_away = visitor.post(ADD, FORM, HTTP_REFERER=f"http://testserver{ADD}")
    notice = visitor.get(sent_away["Location"]).content.decode()
    signed_in = sign_in(visitor, owner)
    page = visitor.get(KEPT).content.decode()
    fields = kept_fields(visitor)

    assert sent_away["Location"] == f"{LOGIN}?next={ADD}"
    assert "已保留" in notice
    assert "春季问候" not in notice
    assert signed_in["Location"] == KEPT
    assert "继续提交" in page
    assert "发信模板" in page
    assert page.count("春季问候") == 2  # to be read, and to be sent
    assert f'action="{ADD}"' in page
    assert {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"} == {
        "title": "春季问候", "body_type": "plain", "body": LONG,
    }  # fmt: skip
    assert visitor.post(ADD, fields)["Location"] == "/email/templates/"
    version = Template.objects.get().version
    assert version is not None
    assert version.body.replace("\r\n", "\n").strip() == LONG.replace("\r\n", "\n").strip()
    assert visitor.get(KEPT).context["kept"] is None
    assert visitor.session.get_expiry_age() > 3600


def test_an_invalid_form_comes_back_filled_in(visitor: Client, owner: User) -> None:
    visitor.post(ADD, {**FORM, "title": ""})
    sign_in(visitor, owner)

    answer = visitor.post(ADD, kept_fields(visitor))

    assert answer.status_code == 422
    assert "春天的消息" in answer.content.decode()
    assert visitor.get(KEPT).context["kept"] is None


def test_discarding_leads_back_to_the_page_of_the_form(visitor: Client, owner: User) -> None:
    visitor.post(ADD, FORM, HTTP_REFERER="http://testserver/email/templates/add/?from=guide")
    sign_in(visitor, owner)

    answer = visitor.post("/kept/discard/")

    assert answer["Location"] == "/email/templates/add/?from=guide"
    assert visitor.get(KEPT).context["kept"] is None
    assert kept_forms.KEY not in visitor.session
    assert not Template.objects.exists()


@pytest.mark.parametrize("who", ["colleague", "stranger", "staff"])
def test_another_person_who_signs_in_there_sees_nothing(
    visitor: Client, acme: Tenant, globex: Tenant, who: str
) -> None:
    person = {
        "colleague": lambda: make_user(acme, name="colleague"),
        "stranger": lambda: make_user(globex, name="owner", is_main=True),
        "staff": lambda: make_staff(login="operator"),
    }[who]()
    visitor.post(ADD, FORM)

    signed_in = sign_in(visitor, with_password(person))

    assert signed_in["Location"] == ("/admin/" if who == "staff" else "/")
    assert kept_forms.KEY not in visitor.session
    answer = visitor.get(KEPT)
    assert "春季问候" not in answer.content.decode()
    assert answer.status_code == (403 if who == "staff" else 200)


def test_even_signing_in_by_the_administration_drops_it(visitor: Client) -> None:
    person = with_password(make_staff(login="operator"))
    visitor.post(ADD, FORM)

    visitor.post("/admin/login/?next=/admin/", {"username": person.login, "password": PASSWORD})

    assert "_auth_user_id" in visitor.session
    assert kept_forms.KEY not in visitor.session


@pytest.mark.parametrize("cookie", ["", "1", "1:forged:x"])
def test_where_it_is_not_known_whose_it_is_nothing_is_kept(client: Client, owner: User, cookie: str) -> None:
    if cookie:
        client.cookies[kept_forms.COOKIE] = cookie

    answer = client.post(ADD, FORM)

    assert answer["Location"].startswith(LOGIN)
    assert not Session.objects.exists()


def test_passwords_are_never_kept(visitor: Client, owner: User) -> None:
    form = {"name": "wang", "email": "w@acme.example", "password": "secret-1", "password_again": "secret-2"}
    visitor.post("/iam/users/add/", {**form, "New_PassWord": "secret-3"})
    kept = visitor.session[kept_forms.KEY]

    assert [name for name, _value in kept["fields"]] == ["name", "email"]
    visitor.post("/password/", {"current_password": "secret-4", "password": "secret-5"})
    assert "secret" not in str(dict(visitor.session.items()))
    sign_in(visitor, owner)
    assert "secret" not in visitor.get(KEPT).content.decode()


def test_only_the_newest_form_is_kept(visitor: Client, owner: User) -> None:
    visitor.post("/email/domains/add/", {"name": "first.example"})
    visitor.post("/email/domains/add/", {"name": "second.example"})
    sign_in(visitor, owner)

    assert kept_fields(visitor)["name"] == "second.example"


def test_a_dialog_is_kept_too_and_leads_to_the_sign_in_page(visitor: Client, owner: User) -> None:
    current = {"HTTP_HX_CURRENT_URL": "http://testserver/email/domains/"}
    answer = visitor.post("/email/domains/add/", {"name": "shop.example"}, **FRAGMENT, **current)
    sign_in(visitor, owner)

    assert answer.status_code == 204
    assert answer["HX-Redirect"] == f"{LOGIN}?next=/email/domains/"
    assert visitor.post("/email/domains/add/", kept_fields(visitor)).status_code == 302


def test_without_a_field_that_holds_anything_nothing_is_kept(visitor: Client) -> None:
    domain = make_domain(Tenant.objects.get(account="acme"))
    path = reverse("email:domain_check", args=[domain.pk])

    answer = visitor.post(path, {"csrfmiddlewaretoken": "a"}, HTTP_REFERER="http://testserver/email/domains/")
    elsewhere = [
        visitor.post(path, HTTP_REFERER=f"{site}/email/")["Location"]
        for site in ("https://evil.example", "http://testserver//evil.example", "http://[")
    ]

    assert answer["Location"] == f"{LOGIN}?next=/email/domains/"
    assert elsewhere == [f"{LOGIN}?next={path}"] * 3
    assert kept_forms.KEY not in visitor.session


def test_what_is_larger_than_a_megabyte_is_not_kept_and_that_is_said(visitor: Client, owner: User) -> None:
    answer = visitor.post(ADD, {**FORM, "body": "x" * 2**20}, HTTP_REFERER=f"http://testserver{ADD}")
    notice = visitor.get(answer["Location"]).content.decode()
    signed_in = visitor.post(
        LOGIN, {"account": "", "username": owner.login, "password": PASSWORD, "next": ADD}
    )

    assert "1 MB" in notice
    assert signed_in["Location"] == ADD
    assert "1 MB" in visitor.get(ADD).content.decode()
    assert kept_forms.KEY not in visitor.session


def test_exactly_a_megabyte_is_kept(visitor: Client, owner: User) -> None:
    names = len("title" + "body_type" + "body")
    fields = {"title": "x", "body_type": "plain", "body": "y" * (2**20 - names - len("xplain"))}
    visitor.post(ADD, fields)
    sign_in(visitor, owner)

    assert kept_fields(visitor)["body"] == fields["body"]


def test_files_are_not_kept_and_that_is_said(visitor: Client, owner: User, acme: Tenant) -> None:
    address = make_address(make_domain(acme, verified=True))
    version = make_version(acme)
    form = {
        "name": "Spring", "subject": "Hello", "template": version.template_id, "address": address.pk,
        "send_type": "now", "source": "file", "recipients": "",
        "submission_key": "5c0c3c55-0df8-4d2c-a6a2-7a2b4b1a0001",
        "file": SimpleUploadedFile("<b>list</b>.xlsx", b"x"),
    }  # fmt: skip
    visitor.post("/email/tasks/add/", form)
    sign_in(visitor, owner)

    page = visitor.get(KEPT).content.decode()
    answer = visitor.post("/email/tasks/add/", kept_fields(visitor))

    assert "list&lt;" not in page  # browsers and Django drop all but the file's own name
    assert "b&gt;.xlsx" in page
    assert "不带文件，继续提交" in page
    assert answer.status_code == 422
    assert 'value="Spring"' in answer.content.decode()
    assert not Task.objects.exists()


def test_rights_are_asked_for_when_it_is_submitted(acme: Tenant) -> None:
    person = with_password(make_user(acme, name="newcomer"))
    client = Client()
    sign_in(client, person)
    client.get("/password/")
    end_session(client)
    client.post(ADD, FORM)
    sign_in(client, person)

    assert client.post(ADD, kept_fields(client)).status_code == 403
    assert not Template.objects.exists()


def test_after_an_hour_it_is_gone(visitor: Client, owner: User) -> None:
    visitor.post(ADD, FORM)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        jobs.clear_sessions()
        assert not Session.objects.exists()

        assert sign_in(visitor, owner)["Location"] == "/"


def test_what_is_not_submitted_within_the_hour_leaves_the_session(visitor: Client, owner: User) -> None:
    visitor.post(ADD, FORM)
    sign_in(visitor, owner)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        page = visitor.get(KEPT).content.decode()

        assert "春季问候" not in page
        assert "没有保留的内容" in page
        assert kept_forms.KEY not in visitor.session


def test_who_is_signed_in_already_is_led_there_from_the_sign_in_page(visitor: Client, owner: User) -> None:
    visitor.post(ADD, FORM)
    sign_in(visitor, owner)

    assert visitor.get(LOGIN)["Location"] == KEPT


def test_looking_keeps_nothing(visitor: Client) -> None:
    answer = visitor.get(f"{ADD}?title=x")

    assert answer["Location"] == f"{LOGIN}?next=/email/templates/add/%3Ftitle%3Dx"
    assert not Session.objects.exists()


def test_a_preview_is_not_what_somebody_wants_to_go_on_with(visitor: Client) -> None:
    answer = visitor.post("/email/templates/draft/", FORM, HTTP_REFERER=f"http://testserver{ADD}")

    assert answer["Location"] == f"{LOGIN}?next={ADD}"
    assert kept_forms.KEY not in visitor.session


def test_the_cookie_names_nobody_to_scripts(client: Client, owner: User) -> None:
    sign_in(client, owner)

    cookie = client.cookies[kept_forms.COOKIE]

    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert owner.login not in cookie.value
