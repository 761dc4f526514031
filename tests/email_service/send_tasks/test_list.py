"""The list of tasks: what its rows offer, and that it stays what it was while it follows the work."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db


def listed(client: Client, query: str = "", **headers: str) -> str:
    client.cookies["django_language"] = "en"
    return client.get(f"{reverse('email:task_list')}?{query}", **FRAGMENT, **headers).content.decode()


def test_rows_follow_the_work_on_their_own_page_with_filter_and_sort(acme: Tenant, as_owner: Client) -> None:
    for _each in range(21):
        make_task(acme)
    first = as_owner.get(reverse("email:task_list"), {"sort": "-created", "status": "sending"})
    second = first.context["page"].next_query

    page = listed(as_owner, second)
    polled = re.search(r'<tbody id="task-rows" hx-get="([^"]+)"', page)

    assert polled is not None
    again = as_owner.get(polled.group(1).replace("&amp;", "&"), **FRAGMENT)
    assert [row.pk for row in again.context["page"].rows] == [
        row.pk for row in as_owner.get(f"{reverse('email:task_list')}?{second}").context["page"].rows
    ]
    assert "status=sending" in polled.group(1) and "sort=-created" in polled.group(1)


def test_when_the_last_row_leaves_the_whole_list_says_so(acme: Tenant, as_owner: Client) -> None:
    make_task(acme, status=Task.Status.FINISHED)
    address = reverse("email:task_list")

    polled = as_owner.get(address, {"status": "sending"}, **FRAGMENT, HTTP_HX_TARGET="task-rows")
    asked = as_owner.get(address, {"status": "sending"}, **FRAGMENT, HTTP_HX_TARGET="task-list")

    assert (polled["HX-Retarget"], polled["HX-Reselect"]) == ("#task-list", "#task-list")
    assert "HX-Retarget" not in asked


def test_nothing_yet_and_no_match_are_told_apart(acme: Tenant, as_owner: Client) -> None:
    assert "No send task yet" in listed(as_owner)
    assert "Nothing matches." in listed(as_owner, "name=spring")


@pytest.mark.parametrize(
    ("status", "more", "offered"),
    [
        ("preparing", {}, {"view", "cancel", "copy"}),
        ("scheduled", {}, {"view", "cancel", "copy"}),
        ("sending", {}, {"view", "pause", "copy"}),
        ("paused", {}, {"view", "resume", "copy"}),
        ("paused", {"status_reason": "late"}, {"view", "resume", "copy"}),
        ("quota_paused", {}, {"view", "copy"}),
        ("finished", {}, {"view", "copy"}),
        ("finished", {"template": None}, {"view"}),
        ("cancelled", {}, {"view", "copy"}),
        ("failed", {}, {"view", "copy"}),
    ],
)
def test_a_row_offers_what_the_state_allows(
    acme: Tenant, as_owner: Client, as_reader: Client, *, status: str, more: dict[str, Any], offered: set[str]
) -> None:
    make_task(acme, status=status, **more)
    actions = r'id="task-\d+-(\w+)"'

    assert set(re.findall(actions, listed(as_owner))) == offered
    assert re.findall(actions, listed(as_reader)) == ["view"]


def test_paused_in_the_list_one_is_back_in_the_list_as_it_was(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme)

    answer = as_owner.post(
        reverse("email:task_pause", args=[task.pk]), {"list": "status=sending&name=春&next=//evil.example"}
    )

    task.refresh_from_db()
    assert task.status == "paused"
    assert answer["Location"].startswith(f"{reverse('email:task_list')}?status=sending&name=%E6%98%A5")


def test_failed_and_rejected_are_seen_in_the_bar_and_said(acme: Tenant, as_owner: Client) -> None:
    make_task(
        acme, accepted_count=100, delivered_count=80, failed_count=5, rejected_count=10, pending_count=5
    )

    page = listed(as_owner)

    assert 'aria-label="Delivered 80, Failed 5, Rejected 10, Pending 5"' in page
    assert re.findall(r'<rect class="share-(\w+)"', page) == ["delivered", "failed", "rejected", "pending"]
    assert "<title>Failed: 5</title>" in page and "5 failed" in page and "10 rejected" in page


def test_a_late_task_is_told_by_words_in_its_row(acme: Tenant, as_owner: Client) -> None:
    make_task(acme, status=Task.Status.PAUSED, status_reason="by_hand:owner", due_at=timezone.now())
    assert "Needs your decision" not in listed(as_owner)

    make_task(acme, status=Task.Status.PAUSED, status_reason="mail")

    assert listed(as_owner).count("Needs your decision") == 1
