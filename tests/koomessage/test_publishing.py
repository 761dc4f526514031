"""Asking for a job: a broker that is gone or does not answer holds nobody up for more than a second."""

import socket
import time
from collections.abc import Iterator

import pytest

from koomessage import celery
from koomessage.celery import BrokerSilent, app


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a broker that takes connections and never says a word."""
    monkeypatch.setattr(celery, "_hanging", None)
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("address", ["redis://{}/0", "amqp://guest:guest@{}//"])
def test_a_broker_that_does_not_answer_is_given_up_within_a_second_and_then_at_once(
    silent: str, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(celery, "PUBLISH_WITHIN", 0.3)
    seconds = []
    with app.connection_for_write(url=address.format(silent)) as broker:
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(BrokerSilent):
                celery._bounded(lambda: app.send_task("nothing", connection=broker))
            seconds.append(time.monotonic() - began)

    assert 0.2 < seconds[0] < 1.5
    assert seconds[1] < 0.1, "while one hangs, nobody else waits"


def test_what_goes_wrong_at_the_broker_is_raised_where_it_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(celery, "_hanging", None)

    def refuse() -> None:
        raise ConnectionRefusedError("nobody there")

    with pytest.raises(ConnectionRefusedError, match="nobody there"):
        celery._bounded(refuse)
    assert celery._bounded(lambda: 7) == 7
