"""What `manage.py demo` sets before Django reads its settings."""

import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from koomessage.demo import environment


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ENV_FILE", "elsewhere.env")
    monkeypatch.setattr(sys, "argv", ["manage.py", "demo"])
    yield


def written() -> dict[str, str]:
    lines = Path(os.environ["ENV_FILE"]).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_the_demo_gets_a_file_of_its_own_and_keeps_its_secret(tmp_path: Path):
    environment.prepare()
    first = written()
    environment.prepare()

    assert os.environ["ENV_FILE"] == str(tmp_path / "demo.env")
    assert first["DEMO"] == "true"
    assert first["DEBUG"] == "false"
    assert len(first["SECRET_KEY"]) >= 50
    assert written()["SECRET_KEY"] == first["SECRET_KEY"]
    assert (tmp_path / "demo.env").stat().st_mode & 0o077 == 0


def test_a_taken_port_is_left_to_who_has_it():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        assert environment.free_port(taken, set()) != taken


def test_the_three_ports_differ():
    environment.prepare()

    ports = {written()[name].rpartition(":")[2] for name in ("BASE_URL", "DNS_NAMESERVERS", "RELAY_PORT")}
    assert len(ports) == 3


@pytest.mark.parametrize("words", [["--port", "{}"], ["--port={}"]])
def test_the_port_asked_for_is_used(monkeypatch: pytest.MonkeyPatch, words: list[str]):
    port = environment.free_port(18700, set())
    monkeypatch.setattr(sys, "argv", ["manage.py", "demo", *(word.format(port) for word in words)])

    environment.prepare()

    assert written()["BASE_URL"] == f"http://localhost:{port}"


def test_a_port_asked_for_that_is_taken_stops_the_start(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(sys, "argv", ["manage.py", "demo", "--port", str(other.getsockname()[1])])

        with pytest.raises(SystemExit, match="is taken"):
            environment.prepare()


def test_one_folder_holds_one_demo(tmp_path: Path):
    with (tmp_path / "demo.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(SystemExit, match="running in"):
            environment.prepare()

    assert not (tmp_path / "demo.env").exists()
