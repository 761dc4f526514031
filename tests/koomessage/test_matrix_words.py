"""No page, search or file of one account holds a word of another."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from billing.models import PackageSpec
from iam.models import Policy, Tenant
from iam.policies import READ_ONLY
from tests.koomessage.spoiling import spoil_everything
from tests.koomessage.world import ROUTES, Route, World, kept, make_known_world

SECRET = "GLOBEXONLY"
LISTS = [route for route in ROUTES if not route.takes and "GET" in route.methods]


class Neighbours(NamedTuple):
    acme: World
    globex: World


@pytest.fixture(scope="module")
def neighbours(django_db_setup: None, django_db_blocker: Any) -> Iterator[Neighbours]:
    """An account with a row of everything, beside one all of whose words are SECRET."""
    with kept(django_db_blocker):
        globex = make_known_world("globex")
        spoil_everything((SECRET,))
        # The catalogue and the system policies are everybody's.
        for shared in (PackageSpec.objects.all(), Policy.objects.system()):
            for row in shared:
                shared.filter(pk=row.pk).update(name=f"For all {row.pk}")
        PackageSpec.objects.update(name_en="")
        Policy.objects.system().update(description="", document=READ_ONLY)
        yield Neighbours(make_known_world("acme"), globex)


@pytest.fixture
def acme(db: Any, neighbours: Neighbours) -> Tenant:
    return Tenant.objects.get(pk=neighbours.acme.tenant.pk)


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.name)
def test_no_page_shows_a_word_of_another_account(route: Route, as_owner: Client):
    answer = as_owner.get(reverse(route.name))

    shown = b"".join(answer) if answer.streaming else answer.content
    assert SECRET.encode() not in unpacked(shown)


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.name)
def test_no_search_finds_a_row_of_another_account(route: Route, as_owner: Client, neighbours: Neighbours):
    page = as_owner.get(reverse(route.name))
    filters = (page.context or {}).get("filter")
    stranger = neighbours.globex.message.pk

    for name, field in filters.fields.items() if filters else ():
        wanted = {forms.CharField: SECRET, forms.IntegerField: stranger}.get(type(field))
        if wanted is not None:
            # What was searched for is shown in its box; no row may come with it.
            found = as_owner.get(reverse(route.name), {name: wanted})
            assert list(found.context["page"].rows) == [], name


def unpacked(shown: bytes) -> bytes:
    """Return the sheets of a workbook, and anything else as it is."""
    if not shown.startswith(b"PK"):
        return shown
    with ZipFile(BytesIO(shown)) as workbook:
        return b"".join(workbook.read(name) for name in workbook.namelist())
