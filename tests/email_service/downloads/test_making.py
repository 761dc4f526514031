"""How an export becomes a file: whole, once, whatever happens to who makes it; and how long it is kept."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation
from python_calamine import CalamineWorkbook

from email_service.downloads import jobs, making, sources, tidying
from email_service.downloads.models import Export
from email_service.downloads.sources import Sheet
from email_service.send_details.models import Message
from iam.models import AuditEntry, Tenant, User
from koomessage.common import uploads, workbooks
from tests.factories_sending import make_message, make_task

pytestmark = pytest.mark.django_db


def make_export(tenant: Tenant, **overrides: Any) -> Export:
    fields = {"kind": "messages", "format": "csv", "language": "en", "time_zone": "Asia/Shanghai"}
    return Export.objects.create(tenant=tenant, **{**fields, **overrides})


def content(export: Export) -> bytes:
    export.refresh_from_db()
    assert export.status == Export.Status.DONE
    return uploads.read(export.file)


def csv_rows(export: Export) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content(export).decode("utf-8-sig"), newline="")))


def test_the_file_holds_the_filtered_rows_in_the_askers_language_and_zone(
    acme: Tenant, globex: Tenant
) -> None:
    at = timezone.datetime.fromisoformat("2026-03-05T17:00:00+00:00")
    task = make_task(acme, name="=1+1", subject='=HYPERLINK("http://x","y")')
    wanted = make_message(task, recipient="ada@qq.com", status="delivered", accepted_at=at)
    make_message(task, accepted_at=at)
    make_message(tenant=globex, status="delivered")
    export = make_export(acme, query="range=all&status=delivered")

    with translation.override("zh-hans"):
        assert making.make(export.pk)

    rows = csv_rows(export)
    assert rows[0][:3] == ["Message ID", "Task name", "Task ID"]
    assert len(rows) == 2
    assert rows[1][0] == str(wanted.pk)
    assert rows[1][1] == "'=1+1"
    assert rows[1][7] == '\'=HYPERLINK("http://x","y")'
    assert rows[1][4] == "Delivered"
    assert rows[1][9] == "***@qq.com"
    assert rows[1][10] == "2026-03-06 01:00:00"
    assert (export.rows_written, export.rows_expected) == (1, 1)
    assert export.size == len(content(export))
    assert timedelta(days=6.9) < export.expires_at - timezone.now() <= timedelta(days=7)


def test_a_workbook_holds_text_and_goes_on_in_further_sheets(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "MAX_ROWS", 2)
    task = make_task(acme, subject="+1 @risk")
    ids = [make_message(task).pk for _ in range(5)]
    export = make_export(acme, format="xlsx")

    making.make(export.pk)

    book = CalamineWorkbook.from_filelike(io.BytesIO(content(export)))
    sheets = [book.get_sheet_by_index(number).to_python() for number in range(3)]
    assert [len(rows) for rows in sheets] == [3, 3, 2]
    assert all(rows[0][0] == "Message ID" for rows in sheets)
    assert [int(row[0]) for rows in sheets for row in rows[1:]] == ids[::-1]
    assert sheets[0][1][7] == "+1 @risk"


def test_batches_leave_nothing_out_and_double_nothing(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("email_service.send_details.exports.BATCH", 3)
    at = timezone.now()
    task = make_task(acme)
    ids = [make_message(task, accepted_at=at - timedelta(seconds=number // 4)).pk for number in range(11)]
    export = make_export(acme)

    making.make(export.pk)

    assert sorted(int(row[0]) for row in csv_rows(export)[1:]) == ids
    times = list(Message.objects.order_by("-accepted_at", "-pk").values_list("pk", flat=True))
    assert [int(row[0]) for row in csv_rows(export)[1:]] == times


def test_whole_addresses_are_exported_on_record(acme: Tenant, owner: User) -> None:
    make_message(make_task(acme), recipient="ada@qq.com")
    export = make_export(acme, is_revealed=True, created_by=owner)

    making.make(export.pk)

    assert csv_rows(export)[1][9] == "ada@qq.com"
    entry = AuditEntry.objects.get(action="kooMessage:emailSendDetail:reveal")
    assert (entry.tenant, entry.user, entry.detail) == (acme, owner, {"rows": 1})


def test_an_account_has_so_many_under_way_and_the_next_comes_when_one_ends(
    acme: Tenant, globex: Tenant
) -> None:
    until = timezone.now() + timedelta(minutes=1)
    running = [make_export(acme, status="running", attempts=1, lease_until=until) for _ in range(3)]
    waiting, another, theirs = make_export(acme), make_export(acme), make_export(globex)

    assert not making.make(waiting.pk)
    assert making.make(theirs.pk)
    Export.objects.filter(pk=running[0].pk).delete()
    jobs.make_export(waiting.pk)

    for export in (waiting, another):
        export.refresh_from_db()
        assert export.status == Export.Status.DONE


def test_one_worker_at_a_time_and_a_dead_ones_is_begun_anew(acme: Tenant) -> None:
    make_message(make_task(acme))
    export = make_export(
        acme, status="running", attempts=1, lease_until=timezone.now() + timedelta(minutes=1)
    )
    assert tidying.stuck() == []
    assert not making.make(export.pk)

    Export.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert tidying.stuck() == [export.pk]
    jobs.tidy_exports()

    assert len(csv_rows(export)) == 2
    assert export.attempts == 2


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The list is read in two batches, and something happens between them."""

    def install(event: Any) -> None:
        def batches() -> Iterator[Sequence[Sequence[object]]]:
            yield [["1"]]
            event()
            yield [["2"]]

        source = sources.source_of("messages")
        broken = sources.Source(**{**vars(source), "open": lambda *given: Sheet(["a"], batches(), 2)})
        monkeypatch.setitem(sources._sources, "messages", broken)
        monkeypatch.setattr(making, "TELL_SECONDS", 0.0)

    return install


def test_one_that_was_deleted_meanwhile_leaves_no_file(acme: Tenant, interrupted: Any, settings: Any) -> None:
    interrupted(lambda: Export.objects.all().delete())

    assert not making.make(make_export(acme).pk)

    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_one_that_another_took_meanwhile_is_left_to_it(acme: Tenant, interrupted: Any) -> None:
    interrupted(lambda: Export.objects.update(attempts=7))
    export = make_export(acme)

    assert not making.make(export.pk)

    export.refresh_from_db()
    assert (export.status, export.attempts, export.file.name) == ("running", 7, "")


def test_a_storage_that_refuses_is_asked_again_and_not_for_ever(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*given: Any, **more: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(uploads.FieldFile, "save", refuse)
    export = make_export(acme)
    for _ in range(making.MOST_ATTEMPTS):
        export.refresh_from_db()
        assert export.status == Export.Status.WAITING
        Export.objects.update(lease_until=None)
        making.make(export.pk)

    export.refresh_from_db()
    assert export.status == Export.Status.FAILED
    assert tidying.stuck() == []


def test_what_brings_down_every_worker_is_given_up(acme: Tenant) -> None:
    export = make_export(acme, status="running", attempts=making.MOST_ATTEMPTS)

    assert not making.make(export.pk)

    export.refresh_from_db()
    assert export.status == Export.Status.FAILED


def test_a_bug_fails_the_export_and_is_logged(
    acme: Tenant, interrupted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def bug() -> None:
        raise KeyError("odd")

    interrupted(bug)
    export = make_export(acme)

    making.make(export.pk)

    export.refresh_from_db()
    assert export.status == Export.Status.FAILED
    assert "cannot be made" in caplog.text
    caplog.clear()


def test_the_file_goes_after_its_days_and_the_line_later(acme: Tenant, settings: Any) -> None:
    export = make_export(acme)
    making.make(export.pk)
    path = settings.MEDIA_ROOT / Export.objects.get().file.name
    assert path.is_file()

    jobs.tidy_exports()
    assert path.is_file()
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    jobs.tidy_exports()

    assert not path.exists()
    export.refresh_from_db()
    assert export.is_expired
    Export.objects.update(expires_at=timezone.now() - timedelta(days=31))
    jobs.tidy_exports()
    assert not Export.objects.exists()


def test_files_are_kept_where_uploads_are(far_storage: str, acme: Tenant) -> None:
    make_message(make_task(acme))
    export = make_export(acme)

    making.make(export.pk)

    assert len(csv_rows(export)) == 2
