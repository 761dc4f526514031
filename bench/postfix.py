"""Postfix's own test programs: `smtp-sink` takes everyone's mail, `smtp-source` is the yardstick."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / ".venv-bench" / "postfix"
PATHS = (OWN / "usr" / "sbin", Path("/usr/sbin"))


def program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join(map(str, PATHS)))
    if found is None:
        raise SystemExit(
            f"{name} is missing: it comes with Debian's package postfix, which `make bench` unpacks."
        )
    return found


def environment() -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": str(OWN / "usr" / "lib" / "postfix")}


class Sink:
    """A running `smtp-sink`: its port, and how many mails it has taken."""

    def __init__(self, port: int, counts: Path) -> None:
        self.port = port
        self._counts = counts

    def taken(self) -> int:
        """Read the last count it printed, as in "sess=4 quit=4 mesg=5000"."""
        time.sleep(0.1)
        last = self._counts.read_text().replace("\n", "\r").rstrip("\r").rpartition("\r")[2]
        return int(last.rpartition("mesg=")[2] or 0)


@contextmanager
def sink() -> Iterator[Sink]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # As root it wants a user to become.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts"
        with counts.open("wb") as output:
            process = subprocess.Popen(
                [program("smtp-sink"), *user, "-c", f"127.0.0.1:{port}", "256"],
                stdout=output,
                env=environment(),
            )
        try:
            _await(port)
            yield Sink(port, counts)
        finally:
            process.terminate()
            process.wait()


def _await(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("smtp-sink did not start.")


def source(port: int, count: int, mail: Path) -> float:
    """Send the ready-made mail so many times over four kept connections; return the seconds it took."""
    command = [program("smtp-source"), "-s", "4", "-d", "-m", str(count), "-F", str(mail)]
    command += ["-f", "news@mail.example", "-t", "user@example.com", f"127.0.0.1:{port}"]
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment())
    return time.perf_counter() - began
