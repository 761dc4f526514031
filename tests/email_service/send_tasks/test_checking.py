"""The job that reads a check's file: one reader at a time, killed ones begun anew, nothing kept in memory."""

from collections import Counter
from typing import Any

import pytest

from email_service.models import CheckedBlock, RecipientCheck
from email_service.send_tasks import checks, claims, examination, recipients
from email_service.send_tasks.models import RejectedRow, Task
from email_service.send_tasks.sweep import sweep
from iam.models import Tenant
from koomessage.common import uploads
from tests.email_service.send_tasks.sending import make_sending_tenant, sheet, submit
from tests.factories_sending import make_check, make_suppression, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_sending_tenant()


def make_unread(tenant: Tenant, *rows: tuple[object, ...], **overrides: Any) -> RecipientCheck:
    check = make_check(tenant, state="waiting", rows_read=0, good_count=0, finished_at=None, **overrides)
    CheckedBlock.objects.all().delete()
    uploads.store(check.recipient_file, "a.xlsx", sheet(*rows), field="file")
    check.save()
    return check


def people(number: int) -> list[tuple[str]]:
    return [("email",), *[(f"r{n}@qq.com",) for n in range(number)]]


def test_a_reader_that_was_killed_is_followed_by_one_that_begins_anew(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "BLOCK", 10)
    check = make_unread(tenant, *people(25))
    store = checks._store
    left = iter(range(2))

    def dies(*arguments: Any) -> None:
        if next(left, None) is None:
            raise SystemExit
        store(*arguments)

    with monkeypatch.context() as killed:
        killed.setattr(checks, "_store", dies)
        with pytest.raises(SystemExit):
            checks.read(check.pk)
    check.refresh_from_db()
    assert (check.state, check.rows_read, check.attempts) == ("checking", 20, 1)

    checks.read(check.pk)
    check.refresh_from_db()
    assert check.rows_read == 20, "the dead reader's lease still runs"
    assert sweep().unchecked == []
    RecipientCheck.objects.update(reading_until=claims.database_now() - checks.READ_AGAIN)
    assert sweep().unchecked == [check.pk]
    checks.read(check.pk)

    check.refresh_from_db()
    assert (check.state, check.rows_read, check.good_count, check.bad_counts) == ("finished", 25, 25, {})
    assert sum(block.good_count for block in CheckedBlock.objects.all()) == 25


def test_a_file_that_kills_its_readers_is_given_up(tenant: Tenant) -> None:
    check = make_unread(tenant, *people(3), attempts=checks.MOST_ATTEMPTS)

    checks.read(check.pk)

    check.refresh_from_db()
    assert (check.state, check.reason) == ("failed", "bad_file")


def test_a_reader_whose_turn_is_over_stores_nothing_more(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "BLOCK", 10)
    check = make_unread(tenant, *people(25))
    store = checks._store

    def replaced(*arguments: Any) -> None:
        RecipientCheck.objects.update(turn=99, state="waiting", rows_read=0)
        store(*arguments)

    monkeypatch.setattr(checks, "_store", replaced)
    checks.read(check.pk)

    check.refresh_from_db()
    assert (check.state, check.turn, check.rows_read) == ("waiting", 99, 0)
    assert not CheckedBlock.objects.exists()


def test_a_storage_that_is_silent_is_asked_again(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    check = make_unread(tenant, *people(3))

    def silent(*arguments: Any) -> Any:
        raise uploads.StorageSilent("later")

    with monkeypatch.context() as broken:
        broken.setattr(uploads, "local_copy", silent)
        checks.read(check.pk)
    check.refresh_from_db()
    assert (check.state, check.attempts) == ("checking", 0)

    RecipientCheck.objects.update(reading_until=None)
    checks.read(check.pk)

    check.refresh_from_db()
    assert check.state == "finished"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("email",)], "no_rows"),
        ([("name",), ("Li",)], "missing_columns:收件人邮箱/email"),
        ([("email",), *[(f"r{n}@qq.com",) for n in range(4)]], "too_many_rows:3"),
    ],
)
def test_a_file_that_cannot_be_sent_to_says_why(
    tenant: Tenant, settings: Any, rows: list[tuple[object, ...]], reason: str
) -> None:
    settings.MAX_RECIPIENT_ROWS = 3
    check = make_unread(tenant, *rows)

    checks.read(check.pk)

    check.refresh_from_db()
    assert (check.state, check.reason) == ("failed", reason)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_check_and_task_say_the_same_of_every_row_wherever_their_chunks_end(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(examination, "BLOCK", size)
    monkeypatch.setattr(recipients, "CHUNK", 3)
    make_suppression(tenant, "gone@qq.com")
    version = make_version(tenant, body='<a href="{{link}}">Go</a>', body_type="rich", parameters=["link"])
    address = (
        "a@qq.com",
        "A@QQ.COM",
        "gone@qq.com",
        "GONE@qq.com",
        "",
        "x",
        "b@qq.com",
        "ｂ＠qq．com",
        "gone@qq.com",
    )
    links = (
        "https://a.example/",
        "https://b.example/",
        "",
        "javascript:x",
        "https://c.example/" + "x" * 1000,
    )
    rows = [("email", "link"), *((text, link) for link in links for text in address)]
    check = make_unread(tenant, *rows, template_version=version)
    task = submit(tenant, version=version, source=Task.Source.FILE, file=sheet(*rows))

    checks.read(check.pk)
    recipients.read(task.pk)

    said = {row.number: row.reason for row in checks.bad_rows(check)}
    assert said == dict(RejectedRow.objects.filter(task=task).values_list("row_number", "reason"))
    task.refresh_from_db()
    check.refresh_from_db()
    assert check.good_count == task.accepted_count == 2
    assert check.bad_counts == dict(Counter(said.values()))
    assert set(said.values()) >= {
        "duplicate",
        "suppressed",
        "no_address",
        "bad_address",
        "no_value",
        "bad_link",
    }


def test_addresses_met_before_are_found_over_the_whole_file() -> None:
    seen = examination.Seen()

    assert seen.repeated(["a", "b", "a"]) == {2}
    assert seen.repeated(["c", "b", "d"]) == {1}
    seen.close()
