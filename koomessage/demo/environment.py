"""Makes the environment of the demo before Django reads its settings: `manage.py demo` calls prepare()."""

import fcntl
import hashlib
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import IO

BASE_DIR = Path(__file__).resolve().parents[2]
ZONE = "koomessage.demo"
LOOPBACK = "127.0.0.1"
PREFERRED = {"web": 8000, "dns": 5354, "smtp": 2525}
_held: dict[str, IO[str]] = {}  # locks last as long as the process
NEIGHBOURS = 40  # ports tried after the preferred one, before any free one will do


def prepare() -> None:
    """Write demo.env into the demo's folder and name it in ENV_FILE; variables already set win over the file.

    The secret is made once and kept. Ports are chosen anew at each start.
    """
    folder = BASE_DIR / os.environ.get("DATA_DIR", "var/demo")
    os.environ["DATA_DIR"] = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _hold(folder)
    path = folder / "demo.env"
    values = variables(folder, _ports(), secret=_kept_secret(path))
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    path.write_text(
        f"# Written by `manage.py demo` at each start; only SECRET_KEY is kept.\n{lines}", encoding="utf-8"
    )
    path.chmod(0o600)
    os.environ["ENV_FILE"] = str(path)


def variables(folder: Path, ports: dict[str, int], *, secret: str) -> dict[str, str]:
    """Return what the demo's settings are read from."""
    web = f"http://localhost:{ports['web']}"
    return {
        "SECRET_KEY": secret,
        "DEMO": "true",
        "DEBUG": "false",
        "STATIC_MANIFEST": "false",
        "DATA_DIR": str(folder),
        "BASE_URL": web,
        "PUBLIC_URL": web,
        "ALLOWED_HOSTS": f"localhost,{LOOPBACK},[::1]",
        "CSRF_TRUSTED_ORIGINS": f"{web},http://{LOOPBACK}:{ports['web']}",
        "DNS_NAMESERVERS": f"{LOOPBACK}:{ports['dns']}",
        "RELAY_HOST": LOOPBACK,
        "RELAY_PORT": str(ports["smtp"]),
        "RELAY_SECURITY": "none",
        "EMAIL_HOST": LOOPBACK,
        "EMAIL_PORT": str(ports["smtp"]),
        "DEFAULT_FROM_EMAIL": f"no-reply@{ZONE}",
        "PLATFORM_MX": f"mx.{ZONE}",
        "PLATFORM_SPF_INCLUDE": f"spf.{ZONE}",
        "PLATFORM_DMARC_HOST": f"_dmarc.{ZONE}",
        "PLATFORM_TRACKING_HOST": f"track.{ZONE}",
        "PLATFORM_BOUNCE_HOST": f"bounce.{ZONE}",
        "PAYMENT_GATEWAY_URL": f"{web}/demo/pay",
        "PAYMENT_GATEWAY_KEY": hashlib.sha256(f"payments {secret}".encode()).hexdigest(),
        "DEMO_INBOX_DIR": str(folder / "inbox"),
        "DEMO_ZONE_FILE": str(folder / "zone.json"),
        # Short enough that somebody who plays sees the retry happen.
        "RETRY_FIRST_SECONDS": "20",
        "SWEEP_SECONDS": "2",
        "SHUTDOWN_GRACE": "10",
        "LOG_LEVEL": "INFO",
    }


def free_port(preferred: int, taken: set[int]) -> int:
    """Return the preferred port, else a neighbour, else (and for 0) any: one that TCP and UDP may bind."""
    for port in (*(range(preferred, preferred + NEIGHBOURS) if preferred else ()), *[0] * NEIGHBOURS):
        found = _bindable(port)
        if found and found not in taken:
            return found
    raise SystemExit(f"No free port was found near {preferred}.")


def _hold(folder: Path) -> None:
    """Keep the folder for this process: two demos in one would take each other's jobs and ports."""
    if str(folder) in _held:
        return
    lock = (folder / "demo.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(
            f"A demo is running in {folder} already. Stop it first, or set DATA_DIR to another folder."
        ) from None
    _held[str(folder)] = lock


def _ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    asked = _asked_port()
    for name, preferred in PREFERRED.items():
        if name == "web" and asked:
            if not _bindable(asked):
                raise SystemExit(f"Port {asked} is taken. Choose another with --port, or leave --port out.")
            ports[name] = asked
        else:
            # Programs that start demos beside each other must not all run for the same ports.
            wanted = 0 if os.environ.get("DEMO_ANY_PORT") else preferred
            ports[name] = free_port(wanted, set(ports.values()))
    return ports


def _asked_port() -> int:
    """Read --port from the command line: settings need it before the command can parse it."""
    for position, word in enumerate(sys.argv):
        following = sys.argv[position + 1 : position + 2]
        value = (
            word.partition("=")[2]
            if word.startswith("--port=")
            else "".join(following)
            if word == "--port"
            else ""
        )
        if value.isdigit() and 0 < int(value) < 65536:
            return int(value)
    return 0


def _bindable(port: int) -> int:
    """Return the port that could be bound (the system's choice for 0), 0 where it is taken."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        # A port that only waits out its last connections is free.
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind((LOOPBACK, port))
            found: int = tcp.getsockname()[1]
            udp.bind((LOOPBACK, found))
        except OSError:
            return 0
    return found


def _kept_secret(path: Path) -> str:
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name == "SECRET_KEY" and len(value) >= 50:
                return value
    return secrets.token_urlsafe(48)
