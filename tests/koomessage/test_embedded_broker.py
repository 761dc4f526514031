"""The embedded broker never hands out half a message, and survives one."""

import threading
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from koomessage.celery_config import TRANSPORT_ALIASES


@pytest.fixture
def options(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "queue").mkdir()
    return {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "control_folder": str(tmp_path / "control"),
    }


def connection(options: dict[str, str]) -> Connection:
    assert "embedded_broker" in TRANSPORT_ALIASES["filesystem"]
    return Connection("filesystem://", transport_options=options)


def test_a_worker_that_polls_while_hints_are_written_gets_each_once_and_whole(options):
    got: list[int] = []

    def publish(start: int) -> None:
        with connection(options) as link:
            queue = link.SimpleQueue("sending")
            for number in range(start, start + 200):
                queue.put({"number": number})

    writers = [threading.Thread(target=publish, args=(start,)) for start in (0, 1000, 2000)]
    with connection(options) as link:
        queue = link.SimpleQueue("sending")
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers) or len(got) < 600:
            message = queue.get(timeout=10)
            got.append(message.payload["number"])
            message.ack()

    assert sorted(got) == sorted([*range(200), *range(1000, 1200), *range(2000, 2200)])


def test_a_file_that_cannot_be_read_is_dropped_and_work_goes_on(options):
    with connection(options) as link:
        queue = link.SimpleQueue("console")
        Path(options["data_folder_in"], "0_half.console.msg").write_text("")
        queue.put({"number": 1})

        assert queue.get(timeout=5).payload == {"number": 1}
        with pytest.raises(Empty):
            queue.get(block=False)
