"""The cast of people, and what holds for every test."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations as DatabaseOperations
from django.template import engines
from django.test import Client

from billing import append_only
from email_service.send_tasks import ceilings
from iam.models import Tenant, User
from iam.policies import READ_ONLY
from koomessage.object_store import storage
from tests.factories import make_email_service, make_staff, make_tenant, make_user
from tests.object_store import CREDENTIALS, new_bucket, object_store
from tests.undefined import Undefined

FRAGMENT = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep SQLite's test database in a file: in memory, two threads lock each other out at once."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Else every new Client looks through all static files first, which takes longer than the test.
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.services)])
def far_storage(request: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Uploads are kept where files have no path: in memory, and in a real object store over HTTP."""
    kept: dict[str, Any] = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    if request.param == "s3":
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        kept = storage(new_bucket(request.getfixturevalue("s3_server")))
    settings.STORAGES = {**settings.STORAGES, "default": kept}
    return request.param


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    with object_store() as address:
        yield address


@pytest.fixture(autouse=True)
def _limits_are_read_anew() -> None:
    """Workers believe for a second that nothing is limited; the next test may limit something."""
    ceilings.forget()


@pytest.fixture(autouse=True)
def _no_logged_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A logged error fails the test, unless it reads `caplog.clear()` after expecting it."""
    yield
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert errors == []


@pytest.fixture(autouse=True, scope="session")
def _undefined_variables_fail() -> Iterator[None]:
    """An undefined variable in a template of ours fails the test (tests/undefined.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines["django"].engine, "string_if_invalid", Undefined())
        yield


@pytest.fixture(autouse=True, scope="session")
def _ledgers_can_be_emptied() -> Iterator[None]:
    """Tests with real transactions empty their tables afterwards; on SQLite by DELETE, which ledgers refuse."""
    empty = DatabaseOperations.execute_sql_flush

    def flush(operations: DatabaseOperations, statements: list[str]) -> None:
        append_only.unguard(operations.connection)
        empty(operations, statements)
        append_only.guard(operations.connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush)
        yield


@pytest.fixture
def acme(db: Any) -> Tenant:
    """An activated account whose Email service is configured."""
    tenant = make_tenant(account="acme", name="Acme")
    make_email_service(tenant)
    return tenant


@pytest.fixture
def globex(db: Any) -> Tenant:
    """Another account: the stranger."""
    tenant = make_tenant(account="globex", name="Globex")
    make_email_service(tenant)
    return tenant


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="iam.backends.StaffBackend")
    return client


@pytest.fixture
def owner(acme: Tenant) -> User:
    return make_user(acme, name="owner", is_main=True)


@pytest.fixture
def reader(acme: Tenant) -> User:
    """An IAM user who may look at everything and change nothing."""
    return make_user(acme, name="reader", policies=[READ_ONLY])


@pytest.fixture
def newcomer(acme: Tenant) -> User:
    """An IAM user without any policy."""
    return make_user(acme, name="newcomer")


@pytest.fixture
def stranger(globex: Tenant) -> User:
    return make_user(globex, name="stranger", is_main=True)


@pytest.fixture
def operator(db: Any) -> User:
    return make_staff(login="operator")


@pytest.fixture
def as_owner(owner: User) -> Client:
    return _client(owner)


@pytest.fixture
def as_reader(reader: User) -> Client:
    return _client(reader)


@pytest.fixture
def as_newcomer(newcomer: User) -> Client:
    return _client(newcomer)


@pytest.fixture
def as_stranger(stranger: User) -> Client:
    return _client(stranger)


@pytest.fixture
def as_operator(operator: User) -> Client:
    return _client(operator)
