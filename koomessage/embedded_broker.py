"""The embedded broker: kombu's folder of files, with whole files only.

kombu creates a message's file and then fills it, so that a worker polling at that moment reads an empty
one and ends. Here a file gets its final name when it is complete, and one that cannot be read is dropped:
a job is a hint, and the sweep finds in the database what a lost one would have told.
"""

import json
import logging
import os
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from filelock import FileLock
from kombu.transport import filesystem

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(folder / name, payload)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        folder = Path(self.data_folder_in)
        for path in sorted(folder.glob(f"*.{queue}.msg")):
            taken = path.with_name(f".{path.name}.{os.getpid()}")
            try:
                path.rename(taken)
            except OSError:
                continue  # another worker was quicker
            try:
                payload: dict[str, Any] = json.loads(taken.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                logger.warning("A hint in %s could not be read and is dropped.", folder)
                continue
            finally:
                with suppress(OSError):
                    taken.unlink()
            return payload
        raise Empty

    def get_table(self, exchange: str) -> list[Any]:
        file = self._exchange_file(exchange)
        try:
            return [
                filesystem.exchange_queue_t(*entry) for entry in json.loads(file.read_text(encoding="utf-8"))
            ]
        except FileNotFoundError:
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        file = self._exchange_file(exchange)
        file.parent.mkdir(parents=True, exist_ok=True)
        entry = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with FileLock(f"{file}.lock"):
            table = self.get_table(exchange)
            if entry not in table:
                _write_whole(file, [entry, *table])


class Transport(filesystem.Transport):
    Channel = Channel


def _write_whole(path: Path, value: Any) -> None:
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    unfinished.write_text(json.dumps(value), encoding="utf-8")
    unfinished.replace(path)
