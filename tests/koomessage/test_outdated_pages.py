"""A page that is older than the last sign-in, as in another tab: its forms are not lost either."""

from typing import Any

import pytest
from django.test import Client

from email_service.mail_templates.models import Template
from iam.models import User
from tests.conftest import FRAGMENT
from tests.factories import PASSWORD
from tests.koomessage.keeping import ADD, FORM, LOGIN, hidden_fields, kept_fields


def stale_token(client: Client, path: str, form: dict[str, Any], **headers: Any) -> Any:
    """Post with the token of a page that was opened before signing in again."""
    client.get(path)
    return client.post(path, {**form, "csrfmiddlewaretoken": "b" * 64}, **headers)


@pytest.fixture
def strict(owner: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="iam.backends.StaffBackend")
    return client


def test_a_page_older_than_the_sign_in_can_be_submitted_again(strict: Client) -> None:
    answer = stale_token(strict, ADD, {**FORM, "password": "secret"}, HTTP_ORIGIN="http://testserver")

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "继续提交" in page
    assert "secret" not in page
    assert strict.post(ADD, hidden_fields(page)).status_code == 302
    assert Template.objects.get().title == "春季问候"


@pytest.mark.parametrize("origin", [{}, {"HTTP_ORIGIN": "null"}, {"HTTP_ORIGIN": "https://evil.example"}])
def test_what_may_come_from_another_site_is_not_offered_again(strict: Client, origin: dict[str, str]) -> None:
    answer = stale_token(strict, ADD, FORM, **origin)

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "春季问候" not in page
    assert "重新" in page


def test_a_dialog_older_than_the_sign_in_gets_the_new_token(strict: Client) -> None:
    path, form = "/email/domains/add/", {"name": "shop.example"}

    own = stale_token(strict, path, form, HTTP_ORIGIN="http://testserver", **FRAGMENT)
    foreign = stale_token(strict, path, form, HTTP_ORIGIN="https://evil.example", **FRAGMENT)

    assert "X-CSRFToken" not in foreign.headers
    assert strict.post(path, {**form, "csrfmiddlewaretoken": own["X-CSRFToken"]}).status_code == 302


def test_a_refused_token_does_not_lose_what_was_kept(owner: User) -> None:
    owner.set_password(PASSWORD)
    owner.save(update_fields=["password"])
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="iam.backends.StaffBackend")
    token = client.get(ADD).context["csrf_token"]
    del client.cookies["sessionid"]
    client.post(ADD, {**FORM, "csrfmiddlewaretoken": str(token)})
    token = client.get(LOGIN).context["csrf_token"]
    client.post(LOGIN, {"username": owner.login, "password": PASSWORD, "csrfmiddlewaretoken": str(token)})

    assert client.post(ADD, {**FORM, "csrfmiddlewaretoken": "b" * 64}).status_code == 403
    assert client.post(ADD, kept_fields(client)).status_code == 302
