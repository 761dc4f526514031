from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from email_service.mail_templates.models import TemplateVersion
from email_service.send_tasks import dispatch, jobs
from iam.models import Tenant
from tests.email_service.delivery.peer import Peer
from tests.factories_sending import make_suppression, make_version

Hints = list[tuple[object, ...]]


@pytest.fixture(autouse=True)
def hints(monkeypatch: pytest.MonkeyPatch) -> Hints:
    """A broker that loses every message; it holds what was hinted at."""
    lost: Hints = []
    monkeypatch.setattr(jobs, "hint", lambda job, *arguments: lost.append((job.name, *arguments)))
    return lost


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Sentences of services are compared in the language of the source."""
    with translation.override("en"):
        yield


@pytest.fixture
def version(acme: Tenant) -> TemplateVersion:
    """A template of acme's with one parameter; one recipient of the tests' files is suppressed."""
    make_suppression(acme, "gone@qq.com")
    return make_version(acme, body="Dear {{name}}, good day.", parameters=["name"])


@pytest.fixture
def peer(tmp_path: Path, transactional_db: None) -> Iterator[Peer]:
    """A mail server on loopback; the worker's station is closed before the tables are emptied."""
    with Peer(tmp_path / "received.txt") as running:
        yield running
        dispatch.shut_down(grace=1.0)
