"""The demo's payment gateway: what its customers decided, in one JSON file, and how it tells the console."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from filelock import FileLock

from billing import gateway
from billing.gateway import Notice

ATTEMPTS = 3


@dataclass(frozen=True)
class Request:
    """What the console asks its customer to pay."""

    reference: str
    amount: str
    currency: str
    order: str
    notify: str
    back: str


def read_request(query: str) -> Request | None:
    """Return what the signed address asks for; None where the signature is wrong or old."""
    fields = {name: values[-1] for name, values in parse_qs(query).items()}
    timestamp, nonce, given = (fields.pop(name, "") for name in ("timestamp", "nonce", "signature"))
    signed = urlencode(sorted(fields.items())).encode()
    names = set(Request.__dataclass_fields__)
    if not gateway.proves(timestamp, nonce, given, signed) or set(fields) != names:
        return None
    return Request(**fields)


def decide(request: Request, status: str) -> Notice:
    """Write down what the customer chose; who has paid has paid, and cannot fail or pay twice."""
    with _changing() as rows:
        known = rows.get(request.reference)
        if known is None or known["status"] == "failed":
            paid = f"SANDBOX{secrets.randbelow(10**12):012}" if status == "succeeded" else ""
            notice = Notice(request.reference, status, paid, Decimal(request.amount), request.currency)
            rows[request.reference] = {**asdict(notice), "amount": request.amount}
    found = find(request.reference)
    if found is None:
        raise ValueError(f"{request.reference} was not written")
    return found


def find(reference: str) -> Notice | None:
    """Return what was decided about a payment."""
    row = _load().get(reference)
    return gateway.read_notice(json.dumps(row).encode()) if row else None


def tell(notice: Notice, address: str) -> bool:
    """Post the notice to the console, a few times if need be; say whether it was taken."""
    parts = urlsplit(address)
    for _attempt in range(ATTEMPTS):
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("POST", parts.path, notice.body, gateway.signed_headers(notice.body))
            if connection.getresponse().status == 200:
                return True
        except (OSError, HTTPException):
            continue
        finally:
            connection.close()
    return False


def _path() -> Path:
    return settings.DEMO_ZONE_FILE.with_name("payments.json")


def _load() -> dict[str, dict[str, str]]:
    try:
        return json.loads(_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


@contextmanager
def _changing() -> Iterator[dict[str, dict[str, str]]]:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        rows = _load()
        yield rows
        fresh = path.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        fresh.replace(path)
