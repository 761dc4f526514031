"""What people type stays text: `EVIL` stands in every text of every row, and no page runs or works it out."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import reverse

from email_service.mail_templates.models import Template
from iam.models import Tenant, User
from tests.factories_templates import make_template
from tests.koomessage.spoiling import EVIL, spoil_everything
from tests.koomessage.world import ROUTES, Route, World, kept, lay_down_files, make_known_world

FRAGMENT = {"HTTP_HX_REQUEST": "true"}
RAW = ("<script>alert(1)", "<img src=x", "<svg onload")
READABLE = [route for route in ROUTES if "GET" in route.methods]
POSTABLE = [route for route in ROUTES if "POST" in route.methods]
# Pages that name rows: there EVIL must be read, or the test would show nothing.
SHOWS_ROWS = {
    "console:overview", "iam:home", "iam:user_list", "iam:user_detail", "iam:group_list", "iam:group_edit",
    "iam:policy_list", "iam:policy_detail", "billing:package_list", "billing:order_list", "billing:order_detail",
    "email:domain_list", "email:domain_detail", "email:address_list", "email:template_list",
    "email:template_public_list", "email:template_detail", "email:task_list", "email:task_detail",
    "email:message_list", "email:message_detail", "email:suppression_list",
}  # fmt: skip


def each(wanted: list[Route]) -> Any:
    return pytest.mark.parametrize("route", wanted, ids=lambda route: route.name)


def body_of(words: str) -> str:
    # A template's own text may not hold {{7*7}}: that is refused when it is saved.
    return f"<p>{words.replace('{{7*7}}', '')}</p><p>Hello {{{{name}}}}</p>"


@pytest.fixture(scope="module")
def places(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[World, Template]]:
    with kept(django_db_blocker):
        world, public = make_known_world("acme", body=body_of(EVIL)), make_template(body=body_of(EVIL))
        spoil_everything()
        for row in world.rows.values():
            row.refresh_from_db()
        yield world, public


@pytest.fixture
def acme(db: Any, places: tuple[World, Template], settings: Any) -> Tenant:
    lay_down_files(settings.MEDIA_ROOT)
    return Tenant.objects.get(pk=places[0].tenant.pk)


@pytest.fixture
def path(route: Route, acme: Tenant, places: tuple[World, Template]) -> str:
    return route.path(places[0], public=places[1])


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="iam.backends.StaffBackend")
    return client


def text_of(answer: HttpResponseBase) -> str:
    """Return a page's text; what is no page (a workbook, a picture) has none."""
    if answer.streaming or "text/html" not in answer.headers.get("Content-Type", ""):
        return ""
    return answer.content.decode()


def assert_harmless(answer: HttpResponseBase) -> str:
    """No text of a row is markup on the page, and nothing in it was worked out."""
    page = text_of(answer)
    assert [raw for raw in RAW if raw in page] == []
    assert "alert(1)&lt;/script&gt;49" not in page
    return page


@each(READABLE)
def test_no_text_of_a_row_becomes_markup(route: Route, path: str, owner: User, operator: User):
    client = client_of(operator if route.permission == "staff" else owner)

    for headers in ({}, FRAGMENT):
        page = assert_harmless(client.get(path, **headers))
        if route.name in SHOWS_ROWS and not headers:
            assert "&lt;script&gt;alert(1)" in page


@each([route for route in READABLE if not route.takes])
def test_no_word_of_the_address_becomes_markup(route: Route, owner: User):
    client = client_of(owner)
    page = client.get(reverse(route.name))
    filters = (getattr(page, "context", None) or {}).get("filter")
    names = [*(filters.fields if filters else ()), "next", "sort", "page", "after", "template", "tab", "spec"]

    assert_harmless(client.get(reverse(route.name), dict.fromkeys(names, EVIL)))


@each([route for route in POSTABLE if route.permission not in ("staff",)])
def test_what_a_post_answers_is_harmless_too(route: Route, path: str, owner: User):
    """Sentences about what was done name rows: “… was deleted.”"""
    client = client_of(owner)
    names = getattr(client.get(path), "context", None) or {}
    fields = names["form"].fields if "form" in names and hasattr(names["form"], "fields") else {}

    assert_harmless(client.post(path, dict.fromkeys(fields, EVIL), follow=True))
    assert_harmless(client.post(path, dict.fromkeys(fields, EVIL), **FRAGMENT))


TABLES = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table._meta.label_lower)
def test_no_text_becomes_markup_in_the_admin(table: Any, acme: Tenant, as_operator: Client):
    names = f"admin:{table._meta.app_label}_{table._meta.model_name}"
    row = admin.site._registry[table].get_queryset(_request()).last()
    addresses = [reverse(f"{names}_changelist"), f"{reverse(f'{names}_changelist')}?q=alert"]
    if row is not None:
        addresses += [reverse(f"{names}_{page}", args=[row.pk]) for page in ("change", "history", "delete")]

    for address in addresses:
        assert_harmless(as_operator.get(address, follow=True))


def _request() -> Any:
    return RequestFactory().get("/")
