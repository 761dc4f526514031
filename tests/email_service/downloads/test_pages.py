"""Asking for an export, and the page 下载中心: works, refused, forbidden, another's, fragment."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from email_service.downloads import making
from email_service.downloads.models import Export
from iam.models import AuditEntry, Tenant, User
from iam.policies import READ_ONLY
from tests.conftest import FRAGMENT, _client
from tests.email_service.downloads.test_making import make_export
from tests.factories import make_user
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db
ASK, LIST = "/email/details/export/", "/email/downloads/"


@pytest.fixture
def ready(acme: Tenant, owner: User) -> Export:
    make_message(make_task(acme), recipient="ada@qq.com")
    export = make_export(acme, created_by=owner)
    making.make(export.pk)
    export.refresh_from_db()
    return export


def test_the_filter_becomes_a_file_that_is_downloaded(
    as_owner: Client, owner: User, acme: Tenant, django_capture_on_commit_callbacks: Any
) -> None:
    task = make_task(acme)
    make_message(task, status="delivered")
    make_message(task)

    assert b'name="format"' in as_owner.get(f"{ASK}?status=delivered", **FRAGMENT).content
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_owner.post(f"{ASK}?status=delivered", {"format": "csv"})

    assert answer.status_code == 302
    assert answer["Location"] == LIST
    export = Export.objects.get()
    assert (export.created_by, export.query, export.language) == (owner, "status=delivered", "zh-hans")
    download = as_owner.get(f"{LIST}{export.pk}/file/")
    assert b"".join(download.streaming_content).count(b"\r\n") == 2
    assert download["Content-Type"] == "text/csv; charset=utf-8"
    assert download["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert download["X-Content-Type-Options"] == "nosniff"
    entry = AuditEntry.objects.get(action="kooMessage:emailSendDetail:export")
    assert entry.detail == {"format": "csv", "filters": "status=delivered", "whole_addresses": False}


def test_asking_twice_is_asking_once(as_owner: Client, acme: Tenant) -> None:
    for _ in range(2):
        as_owner.post(ASK, {"format": "xlsx"})
    as_owner.post(ASK, {"format": "csv"})

    assert Export.objects.count() == 2


def test_an_odd_format_and_too_many_are_refused(
    as_owner: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert as_owner.post(ASK, {"format": "exe"}).status_code == 422
    monkeypatch.setattr("email_service.downloads.services.MOST_WAITING", 1)
    make_export(acme)

    assert as_owner.post(ASK, {"format": "csv"}).status_code == 422
    assert Export.objects.count() == 1


def test_whole_addresses_are_for_those_who_may_see_them(
    as_owner: Client, as_reader: Client, acme: Tenant
) -> None:
    assert b"is_revealed" in as_owner.get(ASK).content
    as_owner.post(ASK, {"format": "csv", "is_revealed": "on"})
    assert Export.objects.get().is_revealed

    exporter = make_user(acme, name="exporter", policies=[READ_ONLY])
    client = _client(exporter)
    if client.get(ASK).status_code == 200:
        assert b"is_revealed" not in client.get(ASK).content


def test_rights_decide_who_exports(as_newcomer: Client, acme: Tenant) -> None:
    assert as_newcomer.get(ASK).status_code == 403
    assert as_newcomer.post(ASK, {"format": "csv"}).status_code == 403
    assert not Export.objects.exists()


def test_ones_own_are_listed_and_the_main_account_sees_all(
    as_owner: Client, as_reader: Client, reader: User, as_stranger: Client, ready: Export
) -> None:
    theirs = make_export(ready.tenant, created_by=reader)

    def listed(client: Client) -> list[int]:
        return [line.export.pk for line in client.get(LIST, **FRAGMENT).context["lines"]]

    assert listed(as_owner) == [theirs.pk, ready.pk]
    assert listed(as_reader) == [theirs.pk]
    assert listed(as_stranger) == []


@pytest.mark.parametrize("page", ["file", "again", "delete"])
def test_anothers_export_is_not_there(
    as_stranger: Client, as_reader: Client, ready: Export, page: str
) -> None:
    for client in (as_stranger, as_reader):
        ask = client.get if page == "file" else client.post
        assert ask(f"{LIST}{ready.pk}/{page}/").status_code == 404
    assert Export.objects.count() == 1


def test_a_right_that_was_withdrawn_closes_the_file(
    as_newcomer: Client, newcomer: User, ready: Export
) -> None:
    Export.objects.update(created_by=newcomer)

    assert as_newcomer.get(f"{LIST}{ready.pk}/file/").status_code == 403
    assert as_newcomer.post(f"{LIST}{ready.pk}/again/").status_code == 403
    assert "/file/" not in as_newcomer.get(LIST).content.decode()


def test_a_file_that_is_not_ready_is_not_there(as_owner: Client, acme: Tenant, owner: User) -> None:
    waiting = make_export(acme, created_by=owner)

    assert as_owner.get(f"{LIST}{waiting.pk}/file/").status_code == 404


def test_it_is_deleted_after_a_question_with_its_file(as_owner: Client, ready: Export, settings: Any) -> None:
    path = settings.MEDIA_ROOT / ready.file.name
    assert path.is_file()
    assert as_owner.get(f"{LIST}{ready.pk}/delete/").status_code == 200
    assert Export.objects.exists()

    assert as_owner.post(f"{LIST}{ready.pk}/delete/").status_code == 302

    assert not Export.objects.exists()
    assert not path.exists()


def test_the_same_is_created_again(as_owner: Client, ready: Export) -> None:
    Export.objects.update(query="status=delivered", file="", expires_at=timezone.now() - timedelta(days=1))

    as_owner.post(f"{LIST}{ready.pk}/again/")

    newest = Export.objects.order_by("-pk").first()
    assert newest is not None
    assert (newest.status, newest.query, newest.format) == ("waiting", "status=delivered", "csv")


def test_the_page_asks_again_while_something_is_made_and_then_stops(as_owner: Client, ready: Export) -> None:
    assert "every 2s" not in as_owner.get(LIST).content.decode()
    assert as_owner.get(f"{LIST}?poll=1", **FRAGMENT).status_code == 286

    Export.objects.update(status="running", rows_written=30, rows_expected=120)
    answer = as_owner.get(f"{LIST}?poll=1", **FRAGMENT)

    assert answer.status_code == 200
    page = answer.content.decode()
    assert page.lstrip().startswith('<div id="download-list"')
    assert "every 2s" in page
    assert 'value="25"' in page
    assert "30 / 120" in page


def test_an_empty_page_says_where_to_begin(as_owner: Client) -> None:
    as_owner.cookies["django_language"] = "en"

    assert "No exports yet" in as_owner.get(LIST).content.decode()


def test_failed_and_expired_ones_say_so(as_owner: Client, ready: Export, acme: Tenant) -> None:
    as_owner.cookies["django_language"] = "en"
    Export.objects.update(file="")
    make_export(acme, status="failed")

    page = as_owner.get(LIST).content.decode()

    assert "Expired" in page
    assert "The file could not be made." in page
    assert page.count("Create again") == 2


def test_the_list_takes_few_queries(as_owner: Client, acme: Tenant, django_assert_num_queries: Any) -> None:
    for number in range(5):
        make_export(acme, created_by=make_user(acme, name=f"user{number}"))

    # Session, user, account, the page.
    with django_assert_num_queries(4):
        as_owner.get(LIST, **FRAGMENT)
