"""The online payment gateway: the page that takes the money, what it tells us, and the question what became of it.

Any gateway, or an adapter before one, that speaks these three messages can be named in the settings:

* the customer's browser opens PAYMENT_GATEWAY_URL with a signed query (`payment_page`);
* the gateway posts a signed JSON object to `billing:payment_notice`, and repeats it until that answers 200;
* we post a signed {"reference": …} to PAYMENT_GATEWAY_URL + "query/" and get the same JSON object, signed.

A signature is HMAC-SHA256 by PAYMENT_GATEWAY_KEY over "timestamp.nonce.body". It is good for five minutes. What
it carries is booked once by its transaction number, so that a message repeated within them changes nothing.
"""

import hashlib
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse

from billing.models import Payment

logger = logging.getLogger(__name__)
GOOD_FOR = 300  # seconds, either way: clocks differ
LARGEST = 16 * 1024
TIMEOUT = 5
_AMOUNT = re.compile(r"[0-9]{1,12}\.[0-9]{2}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_STATUSES = ("succeeded", "failed", "waiting")


@dataclass(frozen=True)
class Notice:
    """What the gateway says of one payment."""

    reference: str
    status: str
    transaction: str
    amount: Decimal
    currency: str

    @property
    def body(self) -> bytes:
        return json.dumps({**asdict(self), "amount": f"{self.amount:.2f}"}).encode()


def is_offered() -> bool:
    """Say whether the platform has a gateway."""
    return bool(settings.PAYMENT_GATEWAY_URL)


def signature(timestamp: str, nonce: str, body: bytes) -> str:
    signed = f"{timestamp}.{nonce}.".encode() + body
    return hmac.new(settings.PAYMENT_GATEWAY_KEY.encode(), signed, hashlib.sha256).hexdigest()


def signed_headers(body: bytes) -> dict[str, str]:
    """Return the headers that prove the body to the other side."""
    timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
    return {
        "Content-Type": "application/json",
        "X-Payment-Timestamp": timestamp,
        "X-Payment-Nonce": nonce,
        "X-Payment-Signature": signature(timestamp, nonce, body),
    }


def is_signed(headers: Mapping[str, str] | HTTPMessage, body: bytes) -> bool:
    """Say whether the headers prove that the body is the other side's, and of now."""
    timestamp, nonce, given = (
        headers.get(f"X-Payment-{name}", "") for name in ("Timestamp", "Nonce", "Signature")
    )
    return proves(timestamp, nonce, given, body)


def proves(timestamp: str, nonce: str, given: str, body: bytes) -> bool:
    """Judge a signature; without a key nothing is proved."""
    if not settings.PAYMENT_GATEWAY_KEY or not re.fullmatch(r"[0-9]{1,12}", timestamp) or len(nonce) < 16:
        return False
    is_fresh = abs(time.time() - int(timestamp)) <= GOOD_FOR
    # Bytes: compare_digest refuses letters beyond ASCII in text.
    is_ours = hmac.compare_digest(given.encode(), signature(timestamp, nonce, body).encode())
    return is_fresh and is_ours


def read_notice(body: bytes) -> Notice:
    """Read what a proved message says. Raises ValueError for what no gateway of ours would say."""
    try:
        said: dict[str, Any] = json.loads(body)
        notice = Notice(
            reference=said["reference"],
            status=said["status"],
            transaction=said["transaction"],
            amount=Decimal(said["amount"]) if _AMOUNT.fullmatch(said["amount"]) else Decimal("NaN"),
            currency=said["currency"],
        )
        words = (notice.reference, notice.transaction or "none", notice.currency)
        is_fine = notice.status in _STATUSES and all(_WORD.fullmatch(word) for word in words)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("no notice of a payment") from error
    if (
        not is_fine
        or not notice.amount.is_finite()
        or (notice.status == "succeeded") > bool(notice.transaction)
    ):
        raise ValueError("a notice with odd values")
    return notice


def payment_page(payment: Payment) -> str:
    """Return the signed address at which the customer pays."""
    fields = {
        "reference": payment.reference,
        "amount": f"{payment.amount:.2f}",
        "currency": payment.currency,
        "order": payment.order.number,
        "notify": settings.BASE_URL + reverse("billing:payment_notice"),
        "back": settings.BASE_URL + reverse("billing:order_waiting", args=[payment.order_id]),
    }
    query = urlencode(sorted(fields.items()))
    timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
    proof = {
        "timestamp": timestamp,
        "nonce": nonce,
        "signature": signature(timestamp, nonce, query.encode()),
    }
    return f"{settings.PAYMENT_GATEWAY_URL}/?{query}&{urlencode(proof)}"


def ask(reference: str) -> Notice | None:
    """Ask the gateway what became of a payment; None where it does not know, or does not answer."""
    body = json.dumps({"reference": reference}).encode()
    try:
        headers, answer = _post(f"{settings.PAYMENT_GATEWAY_URL}/query/", body)
        if not is_signed(headers, answer):
            raise ValueError("the answer is not signed")
        notice = read_notice(answer)
        if notice.reference != reference:
            raise ValueError("the answer speaks of another payment")
    except (OSError, HTTPException, ValueError) as error:
        logger.warning("The payment gateway was asked about %s: %s", reference, error)
        return None
    return notice


def _post(address: str, body: bytes) -> tuple[HTTPMessage, bytes]:
    """Post to an address the operator has configured; no redirect is followed."""
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("POST", parts.path, body, signed_headers(body))
        answer = connection.getresponse()
        content = answer.read(LARGEST)
        if answer.status != 200:
            raise ValueError(f"it answered {answer.status}")
        return answer.headers, content
    finally:
        connection.close()
