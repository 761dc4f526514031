from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from email_service.send_tasks import dispatch, jobs
from tests.email_service.delivery.peer import Peer


@pytest.fixture(autouse=True)
def _closed_station(transactional_db: None) -> Iterator[None]:
    yield
    dispatch.shut_down(grace=1.0)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with Peer(tmp_path / "received.txt") as running:
        yield running


@pytest.fixture
def no_hints(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Broker that loses every message; returns what was hinted."""
    lost: list[Any] = []
    monkeypatch.setattr(jobs, "hint", lambda job, *arguments: lost.append((job.name, *arguments)))
    return lost
