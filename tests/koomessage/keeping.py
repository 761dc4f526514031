"""Forms that outlive a session: what their tests share."""

import re
from html import unescape
from typing import Any

from django.contrib.sessions.models import Session
from django.test import Client

from iam.models import User
from tests.factories import PASSWORD

ADD = "/email/templates/add/"
KEPT = "/kept/"
LOGIN = "/login/"
LONG = "您好，{{name}}！\r\n" + "春天的消息。<b>&\"'" * 9_000  # over 200 KB
FORM = {"title": "春季问候", "body_type": "plain", "body": LONG, "csrfmiddlewaretoken": "a" * 64}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def sign_in(client: Client, user: User) -> Any:
    return client.post(LOGIN, {"account": "", "username": user.login, "password": PASSWORD})


def end_session(client: Client) -> None:
    Session.objects.all().delete()
    del client.cookies["sessionid"]


def hidden_fields(page: str) -> dict[str, str]:
    """Return the fields of the page's form that posts again what was kept."""
    form = page[page.index('enctype="multipart/form-data"') :].partition("</form>")[0]
    return {name: unescape(value) for name, value in HIDDEN.findall(form)}


def kept_fields(client: Client) -> dict[str, str]:
    return hidden_fields(client.get(KEPT).content.decode())
