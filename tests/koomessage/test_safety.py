"""What a browser may be made to do: GET changes nothing, a POST needs its token."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as project
from django.db import connection
from django.test import Client
from django.urls import reverse

from email_service.mail_templates.models import Template
from iam.models import Tenant, User
from tests.factories_templates import make_template
from tests.koomessage.world import ROUTES, Route, World, kept, lay_down_files, make_known_world

FRAGMENT = {"HTTP_HX_REQUEST": "true"}
# RFC 8058: mail programs post the one click without having seen a page; the token in the address is the proof.
WITHOUT_TOKEN = {"public:unsubscribe"}
# Written by looking: Django's sessions alone.
KEPT_BY_LOOKING = {"django_session"}
READABLE = [route for route in ROUTES if "GET" in route.methods]
POSTABLE = [route for route in ROUTES if "POST" in route.methods]


def each(wanted: list[Route]) -> Any:
    return pytest.mark.parametrize("route", wanted, ids=lambda route: route.name)


def client_of(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user, backend="iam.backends.StaffBackend")
    return client


def who_opens(route: Route, owner: User, operator: User) -> User:
    return operator if route.permission == "staff" else owner


def contents() -> dict[str, tuple[int, str]]:
    """Return, for each table, how many rows it has and what they come to."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)}):
            if table not in KEPT_BY_LOOKING:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                rows = sorted(map(repr, cursor.fetchall()))
                found[table] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found


@pytest.fixture(scope="module")
def places(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[World, Template]]:
    with kept(django_db_blocker):
        yield make_known_world("acme"), make_template()


@pytest.fixture
def acme(db: Any, places: tuple[World, Template], settings: Any) -> Tenant:
    lay_down_files(settings.MEDIA_ROOT)
    return Tenant.objects.get(pk=places[0].tenant.pk)


@pytest.fixture
def path(route: Route, acme: Tenant, places: tuple[World, Template]) -> str:
    return route.path(places[0], public=places[1])


@each(READABLE)
def test_looking_changes_nothing(route: Route, path: str, owner: User, operator: User):
    client = client_of(who_opens(route, owner, operator))
    before = contents()

    for headers in ({}, FRAGMENT):
        answer = client.get(path, **headers)
        # Closed until a token is set (tests/email_service/operations/test_metrics.py).
        wanted = (404,) if route.name == "public:metrics" else (200, 204, 286, 302)
        assert answer.status_code in wanted, answer.status_code
        if answer.streaming:
            b"".join(answer)
        client.head(path, **headers)

    assert contents() == before


@each(READABLE)
def test_looking_as_a_visitor_changes_nothing(route: Route, path: str, client: Client):
    before = contents()

    client.get(path)

    assert contents() == before


@each(POSTABLE)
def test_a_post_without_its_token_is_refused(route: Route, path: str, owner: User):
    client = client_of(owner, enforce_csrf_checks=True)
    before = contents()

    found = {client.post(path, **headers).status_code for headers in ({}, FRAGMENT)}
    found.add(client.post(path, "{}", content_type="application/json").status_code)
    found.add(client.post(path, {"csrfmiddlewaretoken": "a" * 64}).status_code)

    if route.name in WITHOUT_TOKEN:
        assert found == {200}
    else:
        assert found == {403}
        assert contents() == before


@each([route for route in POSTABLE if route.name not in WITHOUT_TOKEN])
def test_a_post_from_another_site_is_refused_whatever_it_carries(route: Route, path: str, owner: User):
    client = client_of(owner, enforce_csrf_checks=True)
    client.get(reverse("iam:password_change"))
    token = client.cookies[project.CSRF_COOKIE_NAME].value

    answer = client.post(path, {"csrfmiddlewaretoken": token}, HTTP_ORIGIN="https://evil.example")

    assert answer.status_code == 403


def test_a_post_with_its_token_is_let_through(owner: User):
    client = client_of(owner, enforce_csrf_checks=True)
    client.get(reverse("iam:password_change"))
    token = client.cookies[project.CSRF_COOKIE_NAME].value

    answer = client.post(reverse("iam:logout"), HTTP_X_CSRFTOKEN=token, **FRAGMENT)

    assert answer.headers["HX-Redirect"] == reverse("iam:login")
