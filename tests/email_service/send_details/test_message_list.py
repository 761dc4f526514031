"""发送明细: who sees which rows, masked; what the filters find."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from email_service.send_details.models import Message
from iam.models import Tenant
from tests.conftest import FRAGMENT
from tests.factories_sending import make_message, make_sender, make_task, make_version

pytestmark = pytest.mark.django_db
LIST, EXPORT = "/email/details/", "/email/details/export/"


def found(client: Client, **query: Any) -> set[int]:
    """The ids of the messages the list shows."""
    response = client.get(LIST, query, **FRAGMENT)
    assert response.status_code == 200
    return {line.message.pk for line in response.context["lines"]}


def test_a_row_shows_what_was_sent_with_masked_addresses(as_owner: Client, acme: Tenant) -> None:
    version = make_version(acme, title="Welcome", parameters=["name"])
    task = make_task(acme, name="Autumn", subject="Hello {{name}}", template_version=version)
    message = make_message(task, recipient="ada@qq.com", params=["Ada"], status="delivered")

    page = as_owner.get(LIST).content.decode()

    for text in (
        str(message.pk),
        "Autumn",
        task.code,
        "Welcome",
        task.template_code,
        "Hello Ada",
        "***@qq.com",
    ):
        assert text in page
    assert "ada@qq.com" not in page
    assert task.sender not in page


def test_values_that_do_not_fit_leave_the_subject_as_written(as_owner: Client, acme: Tenant) -> None:
    version = make_version(acme, parameters=["name"])
    make_message(make_task(acme, subject="Hello {{name}}", template_version=version), params=[])

    assert "Hello {{name}}" in as_owner.get(LIST).content.decode()


def test_nobody_sees_another_accounts_messages(as_stranger: Client, acme: Tenant, globex: Tenant) -> None:
    theirs = make_message(tenant=acme)
    ours = make_message(tenant=globex)

    assert found(as_stranger) == {ours.pk}
    assert found(as_stranger, message=theirs.pk) == set()
    assert found(as_stranger, task_code=theirs.task.code) == set()
    assert found(as_stranger, recipient=theirs.recipient) == set()


def test_each_filter_finds_its_message(as_owner: Client, acme: Tenant) -> None:
    sender = make_sender(acme, address="shop@acme.example")
    task = make_task(acme, name="100%_off", subject="Sale", address=sender, method="api")
    wanted = make_message(task, recipient="Ada@qq.com", status="delivered")
    make_message(make_task(acme, name="1000 off"), recipient="bob@163.com")

    for query in (
        {"message": wanted.pk},
        {"task_name": "100%_"},
        {"task_code": task.code.lower()},
        {"template_title": task.template_title},
        {"template_code": task.template_code},
        {"subject": "sale"},
        {"sender": "shop@"},
        {"recipient": "ADA@qq.com"},
        {"recipient": "@qq."},
        {"status": "delivered"},
        {"method": "api"},
    ):
        assert found(as_owner, **query) == {wanted.pk}, query
    assert found(as_owner, recipient="a_a@qq") == set()
    assert found(as_owner, task_name="nothing like it") == set()


def test_the_created_range_includes_both_ends_in_the_accounts_time_zone(
    as_owner: Client, acme: Tenant
) -> None:
    message = make_message(tenant=acme, accepted_at=datetime(2024, 8, 16, 9, 0, tzinfo=UTC))
    make_message(tenant=acme, accepted_at=datetime(2024, 8, 16, 9, 0, 1, tzinfo=UTC))

    shanghai = "2024-08-16T17:00:00"
    assert found(as_owner, created_from=shanghai, created_to=shanghai) == {message.pk}


def test_odd_filters_are_explained_and_narrow_nothing(as_owner: Client, acme: Tenant) -> None:
    message = make_message(tenant=acme)

    assert found(as_owner, message="x1", status="odd", created_from="yesterday") == {message.pk}
    page = as_owner.get(LIST, {"message": "x1"}).content.decode()
    assert "x1" in page
    assert "is-invalid" in page


def test_pages_follow_the_accepted_time(as_owner: Client, acme: Tenant) -> None:
    task = make_task(acme)
    ids = [make_message(task).pk for _ in range(25)]

    first = as_owner.get(LIST, **FRAGMENT)
    second = as_owner.get(f"{LIST}?{first.context['page'].next_query}", **FRAGMENT)

    shown = [[line.message.pk for line in answer.context["lines"]] for answer in (first, second)]
    assert shown == [ids[:4:-1], ids[4::-1]]


def test_the_list_refreshes_itself_only_while_something_waits(as_owner: Client, acme: Tenant) -> None:
    message = make_message(tenant=acme)
    assert "every 5s" in as_owner.get(LIST, **FRAGMENT).content.decode()

    Message.objects.filter(pk=message.pk).update(status="delivered")
    assert "every 5s" not in as_owner.get(LIST, **FRAGMENT).content.decode()


def test_the_list_takes_few_queries(as_owner: Client, acme: Tenant, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        task = make_task(acme)
        for _ in range(5):
            make_message(task)

    # Session, user, account, its Email service, the chosen columns, the page.
    with django_assert_num_queries(6):
        as_owner.get(LIST, **FRAGMENT)


def test_the_fragment_is_the_list_alone(as_owner: Client, acme: Tenant) -> None:
    make_message(tenant=acme)

    assert as_owner.get(LIST, **FRAGMENT).content.decode().lstrip().startswith('<div id="message-list"')


def test_rights_decide_over_list_and_export(as_reader: Client, as_newcomer: Client, acme: Tenant) -> None:
    make_message(tenant=acme)

    assert as_reader.get(LIST, **FRAGMENT).status_code == 200
    assert as_newcomer.get(LIST).status_code == 403
    assert as_newcomer.get(EXPORT).status_code == 403
