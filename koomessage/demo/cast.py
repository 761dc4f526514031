"""Which processes the demo is made of, and how each shows that it answers."""

import socket
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from django.conf import settings
from dnslib import DNSRecord

from koomessage.demo.processes import Child

PYTHON = sys.executable
CELERY = [PYTHON, "-m", "celery", "--app", "koomessage"]


def name_server() -> Child:
    host, port = settings.DNS_NAMESERVERS[0]
    argv = [
        PYTHON,
        "-m",
        "koomessage.demo.dns_server",
        "--zone",
        str(settings.DEMO_ZONE_FILE),
        "--port",
        str(port),
    ]
    return Child("dns", argv, _log("dns"), lambda: _dns_answers(host, port))


def mail_server() -> Child:
    port = settings.RELAY_PORT
    argv = [
        PYTHON,
        "-m",
        "koomessage.demo.smtp_server",
        "--inbox",
        str(settings.DEMO_INBOX_DIR),
        "--port",
        str(port),
    ]
    return Child("inbox", argv, _log("inbox"), lambda: _smtp_answers(settings.RELAY_HOST, port))


def web_server() -> Child:
    port = urlsplit(settings.BASE_URL).port
    argv = [
        PYTHON, "-m", "gunicorn", "koomessage.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4",
        "--timeout", "120", "--graceful-timeout", "5", "--log-level", "warning",
        "--worker-tmp-dir", str(settings.DATA_DIR),
    ]  # fmt: skip
    return Child("web", argv, _log("web"), lambda: _web_answers(f"http://127.0.0.1:{port}/"))


def worker() -> Child:
    log = _log("worker")
    argv = [*CELERY, "worker", "--queues", "console,sending", "--concurrency", "2", "--loglevel", "INFO",
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--hostname", "demo@localhost"]  # fmt: skip
    start = log.stat().st_size if log.is_file() else 0
    return Child(
        "worker", argv, log, lambda: _says(log, start, b" ready."), grace=settings.SHUTDOWN_GRACE + 5
    )


def schedule() -> Child:
    log = _log("schedule")
    start = log.stat().st_size if log.is_file() else 0
    argv = [*CELERY, "beat", "--loglevel", "INFO", "--pidfile", ""]
    return Child("schedule", argv, log, lambda: _says(log, start, b"beat: Starting"))


def _log(name: str) -> Path:
    path = Path(settings.DATA_DIR) / f"{name}.log"
    # The last run's log is worth keeping; those before it are not.
    if path.is_file() and path.stat().st_size:
        path.replace(path.with_suffix(".log.1"))
    path.touch()
    return path


def _says(log: Path, start: int, words: bytes) -> bool:
    with log.open("rb") as lines:
        lines.seek(start)
        return words in lines.read()


def _dns_answers(host: str, port: int) -> bool:
    try:
        reply = DNSRecord.question("koomessage.demo", "TXT").send(host, port, timeout=1)
        return bool(DNSRecord.parse(reply).rr)
    except OSError:
        return False


def _smtp_answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            return connection.recv(4) == b"220 "
    except OSError:
        return False


def _web_answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=20) as answer:
            return bool(answer.status == 200)
    except HTTPError as refusal:
        # It answers, and what it says is for the reader of its page to judge.
        return refusal.code < 500
    except (URLError, OSError):
        return False
