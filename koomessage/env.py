"""Typed readers of the environment: a missing or odd value stops the start with a sentence."""

import os
import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

from koomessage import object_store

BASE_DIR = Path(__file__).resolve().parent.parent
T = TypeVar("T")

_env = Env()


def load() -> None:
    """Read the file named by ENV_FILE (`.env` beside manage.py unless set); real variables win over it."""
    named = os.environ.get("ENV_FILE", "")
    path = Path(named) if named else BASE_DIR / ".env"
    if named and not path.is_file():
        refuse("ENV_FILE", f"names {path}, which is not there")
    if path.is_file():
        _env.read_env(str(path), recurse=False)


def refuse(name: str, problem: str) -> NoReturn:
    raise ImproperlyConfigured(f"{name} {problem}. See .env.example for what it means and may hold.")


def _read(reader: Callable[..., T], name: str, default: Any) -> T:
    try:
        return reader(name) if default is ... else reader(name, default)
    except EnvError as error:
        missing = name not in os.environ
        refuse(
            name,
            "is not set, and has no default" if missing else f"holds a value that cannot be read ({error})",
        )


def text(name: str, default: Any = ..., *, choices: tuple[str, ...] = ()) -> str:
    value = _read(_env.str, name, default)
    if choices and value not in choices:
        refuse(name, f"is {value!r}, but must be one of {', '.join(choices)}")
    return value


def flag(name: str, default: bool) -> bool:
    return _read(_env.bool, name, default)


def number(name: str, default: int, *, least: int = 0, most: int = 2**63) -> int:
    value = _read(_env.int, name, default)
    if not least <= value <= most:
        refuse(name, f"is {value}, but must lie between {least} and {most}")
    return value


def real(name: str, default: float, *, least: float = 0.0) -> float:
    value = _read(_env.float, name, default)
    if value < least:
        refuse(name, f"is {value}, but must be at least {least}")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Read a comma-separated list; empty items are dropped."""
    return [word.strip() for word in _read(_env.str, name, default).split(",") if word.strip()]


def folder(name: str, default: Path) -> Path:
    path = Path(_read(_env.str, name, str(default)))
    return path if path.is_absolute() else BASE_DIR / path


def web_address(name: str, default: Any = ...) -> str:
    """Read an absolute http or https address, without its last slash."""
    value = text(name, default)
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        refuse(name, f"is {value!r}, but must be an address such as https://console.example.com")
    return value.rstrip("/")


def host_ports(name: str, default_port: int) -> list[tuple[str, int]]:
    """Read `host:port,host:port`; IPv6 hosts stand in brackets."""
    found = []
    for word in words(name):
        parts = urlsplit(f"//{word}")
        try:
            port = parts.port or default_port
        except ValueError:
            refuse(name, f"holds {word!r}, whose port is not a number up to 65535")
        if not parts.hostname:
            refuse(name, f"holds {word!r}, but must look like 127.0.0.1:53")
        found.append((parts.hostname, port))
    return found


def networks(name: str) -> list[str]:
    """Read networks such as 10.0.0.0/8, comma separated."""
    found = words(name)
    for word in found:
        try:
            ip_network(word)
        except ValueError:
            refuse(name, f"holds {word!r}, but must look like 10.0.0.0/8")
    return found


def database(name: str, default: str) -> dict[str, Any]:
    """Read a database address: sqlite:///path or postgresql://user:password@host:port/name."""
    try:
        return _env.dj_db_url(name, default)
    except Exception as error:  # dj-database-url raises several kinds
        refuse(name, f"cannot be read as a database address ({error})")


def host_name(name: str, default: str) -> str:
    """Read the name under which others know this host."""
    value = text(name, default) or default
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", value) and value != default:
        refuse(name, f"is {value!r}, but must be up to 40 letters, digits, hyphens and dots")
    return value[:255]


def media_storage(name: str) -> dict[str, Any]:
    """Read where uploads are kept: nothing for the file system, or s3://bucket/prefix?endpoint=…&region=…"""
    value = text(name, "")
    if not value:
        return {"BACKEND": "koomessage.common.storage.WholeFiles"}
    try:
        return object_store.storage(value)
    except ValueError as error:
        refuse(name, str(error))


def web_address_or_none(name: str) -> str:
    return web_address(name) if text(name, "") else ""


def shared_key(name: str, *, needed: bool) -> str:
    """Read a secret that signs what is said to another program; one that could be guessed stops the start."""
    value = text(name) if needed else text(name, "")
    if needed and len(value) < 32:
        refuse(name, "is shorter than 32 characters, and could be guessed")
    return value


def origins(address: str) -> list[str]:
    """Return the origin of an address, for the content security policy; of no address, none."""
    parts = urlsplit(address)
    return [f"{parts.scheme}://{parts.netloc}"] if address else []
