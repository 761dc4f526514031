"""Every address × every kind of person: generated from the addresses there are, so none is forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from email_service.mail_templates.models import Template
from email_service.setup.models import EmailService
from iam.actions import ACTION_OF
from iam.models import Tenant
from koomessage.common.permissions import OVERVIEW, SIGNED_IN, STAFF
from tests.architecture.source import routes
from tests.factories_templates import make_template
from tests.koomessage.world import ROUTES, ROWS, WORDS, Route, World, kept, lay_down_files, make_known_world

REQUESTS = {"page": {}, "fragment": {"HTTP_HX_REQUEST": "true"}}
PUBLIC = "public"
OF_A_ROW = [route for route in ROUTES if "pk" in route.takes and route.permission != STAFF]
GUARDED = [route for route in ROUTES if route.permission != PUBLIC]
BY_POLICY = [route for route in GUARDED if route.permission in ACTION_OF]
OPEN = [route for route in ROUTES if route.permission == PUBLIC]
# What a user without any policy gets where no permission but signing in is asked for.
SIGNED_IN_ANSWERS = {
    "console:kept_form": {"GET": 200},
    "console:kept_form_discard": {"POST": 302},
    "iam:password_change": {"GET": 200, "POST": 422},
    "iam:verification": {"GET": 200, "POST": 403},
    "iam:verification_licence": {"GET": 403},
    "iam:activate": {"GET": 302, "POST": 302},
    "iam:settings": {"GET": 403, "POST": 403},
}
# What a visitor gets at an address that is open to all.
OPEN_ANSWERS = {
    "console:overview": {"GET": 302},
    "console:language_set": {"POST": 302},
    "console:theme_set": {"POST": 302},
    "iam:login": {"GET": 200, "POST": 422},
    "iam:logout": {"POST": 302},
    "iam:signup": {"GET": 200, "POST": 422},
    "iam:signup_sent": {"GET": 200},
    "iam:signup_resend": {"GET": 200, "POST": 422},
    "iam:signup_confirm": {"GET": 200, "POST": 302},
    "iam:password_forgotten": {"GET": 200, "POST": 422},
    "iam:password_reset": {"GET": 200, "POST": 422},
    "iam:agreement": {"GET": 200},
    "billing:payment_notice": {"POST": 403},
    "public:unsubscribe": {"GET": 200, "POST": 200},
    "public:picture": {"GET": 200},
    "public:healthz": {"GET": 200},
    "public:metrics": {"GET": 404},
}


@dataclass(frozen=True)
class Places:
    acme: World
    globex: World
    public: Template

    def own(self, route: Route) -> str:
        return route.path(self.acme, public=self.public)


@pytest.fixture(scope="module")
def places(django_db_setup: None, django_db_blocker: Any) -> Iterator[Places]:
    with kept(django_db_blocker):
        yield Places(make_known_world("acme"), make_known_world("globex"), make_template())


@pytest.fixture
def acme(db: Any, places: Places) -> Tenant:
    return Tenant.objects.get(pk=places.acme.tenant.pk)


def each(wanted: list[Route]) -> Any:
    return pytest.mark.parametrize("route", wanted, ids=lambda route: route.name)


def answers(client: Client, route: Route, path: str) -> dict[str, HttpResponse]:
    """Ask by every method the view takes, for the page and for the fragment."""
    return {
        f"{method} {kind}": getattr(client, method.lower())(path, **headers)
        for method in route.methods
        for kind, headers in REQUESTS.items()
    }


def codes(client: Client, route: Route, path: str) -> dict[str, int]:
    return {asked: answer.status_code for asked, answer in answers(client, route, path).items()}


def all_of(route: Route, code: int) -> dict[str, int]:
    return {f"{method} {kind}": code for method in route.methods for kind in REQUESTS}


def test_every_address_with_a_row_or_a_word_has_a_sample():
    rows = {route.name for route in ROUTES if "pk" in route.takes}
    words = {route.name for route in ROUTES if route.takes - {"pk"}}

    assert rows == set(ROWS)
    assert words == set(WORDS)


def test_an_address_without_a_name_is_another_spelling_of_one_that_has():
    named = {route.pattern.callback for route in ROUTES}

    assert [
        str(found.pattern) for _, found in routes() if not found.name and found.callback not in named
    ] == []


def test_every_permission_is_one_that_policies_can_give():
    unknown = {route.name: route.permission for route in GUARDED if route.permission not in ACTION_OF}

    assert set(unknown.values()) <= {SIGNED_IN, STAFF, OVERVIEW}


@each(OF_A_ROW)
def test_a_strangers_row_is_not_there(route: Route, as_owner: Client, places: Places):
    path = route.path(places.globex)

    assert codes(as_owner, route, path) == all_of(route, 404)


@each(BY_POLICY)
def test_a_user_without_a_policy_is_refused(route: Route, as_newcomer: Client, places: Places):
    path = places.own(route)

    assert codes(as_newcomer, route, path) == all_of(route, 403)


@each([route for route in GUARDED if route.permission == SIGNED_IN])
def test_pages_for_everybody_signed_in_say_what_they_give(route: Route, as_newcomer: Client, places: Places):
    path = places.own(route)

    found = {method: getattr(as_newcomer, method.lower())(path).status_code for method in route.methods}

    assert found == SIGNED_IN_ANSWERS[route.name]


@each(BY_POLICY)
def test_who_may_only_look_changes_nothing(route: Route, as_reader: Client, places: Places):
    """The system policy ReadOnlyAccess shows all of the console, except people and their rights."""
    app, _, words = route.permission.partition(".")
    may_look = app != "iam" and words.split("_")[0] in ("list", "view")
    path = places.own(route)

    found = codes(as_reader, route, path)

    if may_look:
        assert 403 not in found.values()
    else:
        assert found == all_of(route, 403)


@each(GUARDED)
def test_a_visitor_is_sent_to_sign_in(route: Route, client: Client, db: Any, places: Places):
    path = places.own(route)
    login = reverse("iam:login")

    for asked, answer in answers(client, route, path).items():
        target = answer.headers.get("Location") or answer.headers.get("HX-Redirect") or ""
        assert target.startswith(f"{login}?next="), asked
        assert answer.status_code == (302 if asked.endswith("page") else 204), asked


@each(OPEN)
def test_what_is_open_to_visitors_is_written_down(
    route: Route, client: Client, db: Any, places: Places, settings: Any
):
    lay_down_files(settings.MEDIA_ROOT)
    path = places.own(route)

    found = {method: getattr(client, method.lower())(path).status_code for method in route.methods}

    assert found == OPEN_ANSWERS[route.name]


@each([route for route in GUARDED if route.permission != STAFF])
def test_the_platforms_staff_have_no_account_to_look_into(route: Route, as_operator: Client, places: Places):
    path = places.own(route)

    assert codes(as_operator, route, path) == all_of(route, 403)


@each([route for route in GUARDED if route.permission == STAFF])
def test_what_is_for_staff_is_closed_to_accounts(route: Route, as_owner: Client, places: Places):
    assert codes(as_owner, route, places.own(route)) == all_of(route, 403)


# People and rights can be managed before activation.
@each([route for route in BY_POLICY if not route.permission.startswith("iam.")])
def test_an_account_that_is_not_activated_is_led_to_activation(
    route: Route, as_owner: Client, acme: Tenant, places: Places
):
    path = places.own(route)
    Tenant.objects.filter(pk=acme.pk).update(activated_at=None)

    for asked, answer in answers(as_owner, route, path).items():
        target = answer.headers.get("Location") or answer.headers.get("HX-Redirect")
        assert target == reverse("iam:activate"), asked


@each([route for route in BY_POLICY if route.permission.startswith("email_service.")])
def test_email_pages_wait_for_the_operators_configuration(
    route: Route, as_owner: Client, acme: Tenant, places: Places
):
    path = places.own(route)
    EmailService.objects.filter(tenant=acme).delete()

    for answer in answers(as_owner, route, path).values():
        names = [template.name for template in answer.templates]
        assert "email_service/setup/not_configured.html" in names
