"""A disk that is full, a database that is away (F-14): said in words, and what was typed is not lost."""

import errno
import sqlite3
from pathlib import Path
from typing import Any

import psycopg.errors
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.test import Client

from email_service.mail_templates import services
from email_service.mail_templates.models import Template
from iam.models import User
from koomessage.common.outages import Outage, outage_of
from tests.koomessage.keeping import ADD, FORM, hidden_fields

OURS = {"HTTP_ORIGIN": "http://testserver"}


def sqlite_error(code: int) -> Exception:
    error = sqlite3.OperationalError("so")
    error.sqlite_errorcode = code
    wrapped = OperationalError("so")
    wrapped.__cause__ = error
    return wrapped


def postgres_full() -> Exception:
    wrapped = OperationalError("so")
    wrapped.__cause__ = psycopg.errors.DiskFull("so")
    return wrapped


@pytest.fixture
def failing(owner: User, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A console whose templates cannot be stored for the given reason."""

    def fail(error: Exception) -> Client:
        def save_template(**fields: Any) -> None:
            raise error

        monkeypatch.setattr(services, "save_template", save_template)
        client = Client(raise_request_exception=False)
        client.force_login(owner, backend="iam.backends.StaffBackend")
        return client

    return fail


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (OSError(errno.ENOSPC, "full"), Outage.ROOM),
        (OSError(errno.EDQUOT, "full"), Outage.ROOM),
        (sqlite_error(sqlite3.SQLITE_FULL), Outage.ROOM),
        (postgres_full(), Outage.ROOM),
        (sqlite_error(sqlite3.SQLITE_IOERR), Outage.DATABASE),
        (OperationalError("away"), Outage.DATABASE),
        (sqlite_error(sqlite3.SQLITE_ERROR), None),
        (OSError(errno.EACCES, "forbidden"), None),
        (ValueError("so"), None),
    ],
)
def test_what_is_out_is_told_from_an_error_of_ours(
    failing: Any, caplog: pytest.LogCaptureFixture, error: Exception, outage: Outage | None
) -> None:
    answer = failing(error).post(ADD, FORM, **OURS)

    assert outage_of(error) is outage
    assert answer.status_code == (outage or 500)
    page = answer.content.decode()
    assert ("存储空间已满" in page) == (outage is Outage.ROOM)
    assert ("数据库暂时没有响应" in page) == (outage is Outage.DATABASE)
    caplog.clear()


def test_what_was_typed_can_be_submitted_again(
    failing: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = failing(OSError(errno.ENOSPC, "full"))

    page = client.post(ADD, {**FORM, "password": "secret"}, **OURS).content.decode()
    caplog.clear()

    assert "secret" not in page
    monkeypatch.undo()
    assert client.post(ADD, hidden_fields(page), **OURS).status_code == 302
    assert Template.objects.get().title == FORM["title"]


def test_what_another_site_posted_is_not_offered_again(
    failing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    page = failing(OSError(errno.ENOSPC, "full")).post(ADD, FORM).content.decode()
    caplog.clear()

    assert 'type="hidden"' not in page
    assert "返回上一页" in page


def test_a_file_that_a_full_disk_cut_short_is_not_kept(settings: Any) -> None:
    class Endless(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            yield b"the beginning"
            raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        default_storage.save("recipients/one.xlsx", Endless(b""))

    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []
