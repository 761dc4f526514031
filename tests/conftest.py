"""The cast of people, and what holds for every test."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from iam.models import Tenant, User
from iam.policies import READ_ONLY
from tests.factories import make_email_service, make_staff, make_tenant, make_user

FRAGMENT = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _no_logged_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A logged error fails the test, unless it reads `caplog.clear()` after expecting it."""
    yield
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert errors == []


@pytest.fixture(autouse=True, scope="session")
def _undefined_variables_fail() -> None:
    """An undefined variable in a template of ours fails the test (marked in the output and logged)."""
    options = settings.TEMPLATES[0]["OPTIONS"]
    assert isinstance(options, dict)


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
