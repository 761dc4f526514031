"""Uploaded files that mean harm are refused in two seconds and 200 MB, and nobody is called for them."""

import json
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.koomessage.hostile_sheets import HONEST, HOSTILE, judge

ROOT = Path(__file__).parents[2]
MEMORY_MB = 200
# By the clock of the processor: the machine may have other things to do.
SECONDS = 2.0


def _limited() -> None:
    # Far more than may be used, far less than a bomb takes.
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_means_harm_is_refused_in_little_time_and_memory(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "recipients.xlsx"
    file.write_bytes(HOSTILE[kind]())
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "koomessage.settings",
        "ENV_FILE": "tests/test.env",
    }

    done = subprocess.run(
        [sys.executable, "-m", "tests.koomessage.hostile_sheets", str(file)],
        cwd=ROOT, env=environment, capture_output=True, text=True, preexec_fn=_limited, check=True, timeout=60,
    )  # fmt: skip

    spent = json.loads(done.stdout)
    assert spent["refused"]
    assert spent["cpu"] < SECONDS
    assert spent["peak_mb"] < MEMORY_MB


@pytest.mark.parametrize("kind", HONEST)
def test_an_honest_file_is_taken(kind: str) -> None:
    assert not judge(HONEST[kind]())


def test_nothing_is_looked_up_or_called_while_a_file_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("The network was asked.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    for kind in (
        "entity from the network",
        "document type alone",
        "template from the network",
        "picture from the network",
    ):
        assert judge(HOSTILE[kind]())
