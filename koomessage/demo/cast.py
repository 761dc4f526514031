"""Which processes the demo is made of, and how each shows that it answers."""

import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from django.conf import settings

from koomessage.demo.processes import Child

PYTHON = sys.executable
CELERY = [PYTHON, "-m", "celery", "--app", "koomessage"]


def name_server() -> Child:
    port = settings.DNS_NAMESERVERS[0][1]
    log, start = _log("dns")
    argv = [
        PYTHON,
        "-m",
        "koomessage.demo.dns_server",
        "--zone",
        str(settings.DEMO_ZONE_FILE),
        "--port",
        str(port),
    ]
    return Child("dns", argv, log, lambda: _says(log, start, b"DNS answers on"))


def mail_server() -> Child:
    log, start = _log("inbox")
    argv = [
        PYTHON, "-m", "koomessage.demo.smtp_server",
        "--inbox", str(settings.DEMO_INBOX_DIR), "--port", str(settings.RELAY_PORT),
    ]  # fmt: skip
    return Child("inbox", argv, log, lambda: _says(log, start, b"SMTP answers on"))


def web_server() -> Child:
    port = urlsplit(settings.BASE_URL).port
    argv = [
        PYTHON, "-m", "gunicorn", "koomessage.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4",
        "--timeout", "120", "--graceful-timeout", "5", "--log-level", "info",
        "--no-control-socket", "--worker-tmp-dir", str(settings.DATA_DIR),
    ]  # fmt: skip
    log, start = _log("web")
    # Its own word that the port is its own, then an answer.
    return Child(
        "web", argv, log, lambda: _says(log, start, b"Listening at") and _answers(f"http://127.0.0.1:{port}/")
    )


def worker() -> Child:
    log, start = _log("worker")
    argv = [
        *CELERY, "worker", "--queues", "console,reading,sending", "--concurrency", "3", "--loglevel", "INFO",
        "--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", "demo@localhost",
    ]  # fmt: skip
    return Child(
        "worker", argv, log, lambda: _says(log, start, b" ready."), grace=settings.SHUTDOWN_GRACE + 5
    )


def schedule() -> Child:
    log, start = _log("schedule")
    argv = [*CELERY, "beat", "--loglevel", "INFO", "--pidfile", ""]
    return Child("schedule", argv, log, lambda: _says(log, start, b"beat: Starting"))


def _log(name: str) -> tuple[Path, int]:
    """Return the process's log, empty, and where reading begins; the last run's is kept beside it."""
    path = Path(settings.DATA_DIR) / f"{name}.log"
    if path.is_file() and path.stat().st_size:
        path.replace(path.with_suffix(".log.1"))
    path.touch()
    return path, path.stat().st_size


def _says(log: Path, start: int, words: bytes) -> bool:
    with log.open("rb") as lines:
        lines.seek(start)
        return words in lines.read()


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=20) as answer:
            return bool(answer.status == 200)
    except HTTPError as refusal:
        # It answers, and what it says is for the reader of its page to judge.
        return refusal.code < 500
    except (URLError, OSError):
        return False
