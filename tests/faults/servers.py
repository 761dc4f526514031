"""Servers of a test's own, on free ports, in a temporary folder: stopped again, and never those of the machine."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

START_WITHIN = 90.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for_port(port: int) -> None:
    end = time.monotonic() + START_WITHIN
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < end, f"Nothing answers on port {port}."
        time.sleep(0.1)


def wait_for_silence(port: int) -> None:
    end = time.monotonic() + START_WITHIN
    with suppress(OSError):
        while time.monotonic() < end:
            socket.create_connection(("127.0.0.1", port), 1).close()
            time.sleep(0.05)


class Postgres:
    """A cluster that can be restarted, copied and put back; run as `postgres` where we are root."""

    def __init__(self, *, port: int | None = None) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.programs = found[-1] if found else Path(shutil.which("initdb") or "").parent
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="faults-postgres-"))
        self.data = self.folder / "data"
        self.folder.chmod(0o755)
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")

    def run(self, program: str, *arguments: str) -> None:
        lower = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        subprocess.run(
            [*(lower if os.getuid() == 0 else []), str(self.programs / program), *arguments],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
        )

    def make(self) -> None:
        self.run(
            "initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"
        )

    def start(self) -> None:
        said = ["-l", str(self.folder / "log"), "-o", f"-p {self.port} -h 127.0.0.1 -k {self.folder}"]
        self.run("pg_ctl", "-D", str(self.data), "-w", *said, "start")

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    def crash_and_return(self) -> None:
        """What `pg_ctl restart -m immediate` does: every process dies at once, and the log is replayed."""
        self.stop("immediate")
        self.start()

    def address(self, database: str = "koo") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "koo") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address(database), autocommit=True) as link:
            done = link.execute(statement)
            return done.fetchall() if done.description else []

    def remove(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running cluster with an empty database `koo`."""
    server = Postgres()
    try:
        server.make()
        server.start()
        server.execute("CREATE DATABASE koo", "postgres")
        yield server
    finally:
        server.remove()


class Broker:
    """A server process that can be stopped, frozen and started again on its port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="faults-broker-"))
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> tuple[list[str], dict[str, str]]:
        raise NotImplementedError

    @property
    def address(self) -> str:
        raise NotImplementedError

    def start(self) -> None:
        arguments, environment = self.command()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                arguments,
                env={**os.environ, **environment},
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for_port(self.port)

    def signal(self, number: int) -> None:
        """To the server and what it started: a session of its own."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def stop(self) -> None:
        if self.process is not None:
            self.signal(9)
            self.process.wait(30)
            self.process = None
            wait_for_silence(self.port)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis(Broker):
    def command(self) -> tuple[list[str], dict[str, str]]:
        never = ["--save", "", "--appendonly", "no"]
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", *never], {}

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def flush(self) -> None:
        subprocess.run(
            ["redis-cli", "-p", str(self.port), "FLUSHALL"], check=True, stdout=subprocess.DEVNULL, timeout=20
        )


class Rabbit(Broker):
    def command(self) -> tuple[list[str], dict[str, str]]:
        # The machine's own configuration names the machine's own port.
        config = self.folder / "own.conf"
        config.write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        environment = {
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_NODENAME": f"faults{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "data"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "HOME": str(self.folder),
        }
        # Debian's own start becomes another user first, who may not write here.
        plain = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        return [str(plain) if plain.exists() else "rabbitmq-server"], environment

    @property
    def address(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"


@contextmanager
def running(kind: type[Broker]) -> Iterator[Any]:
    server = kind()
    try:
        server.start()
        yield server
    finally:
        server.remove()
