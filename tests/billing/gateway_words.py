"""Speak as the payment gateway does."""

import hashlib
import hmac
import json
import time
from typing import Any

from django.test import Client

from billing.models import Order, Payment

KEY = "a key that only the gateway and the console know"
NOTICE = "/packages/payments/notice/"


def headers(body: bytes, *, at: float | None = None, nonce: str = "n" * 32, key: str = KEY) -> dict[str, str]:
    """Sign as the documents say, not as the code does it."""
    timestamp = str(int(time.time() if at is None else at))
    signed = hmac.new(key.encode(), f"{timestamp}.{nonce}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "X-Payment-Timestamp": timestamp,
        "X-Payment-Nonce": nonce,
        "X-Payment-Signature": signed,
    }


def words(payment: Payment, **changes: Any) -> bytes:
    said = {
        "reference": payment.reference,
        "status": "succeeded",
        "transaction": f"T{payment.pk}",
        "amount": f"{payment.amount:.2f}",
        "currency": payment.currency,
    }
    return json.dumps({**said, **changes}).encode()


def tell(client: Client, payment: Payment, **changes: Any) -> int:
    """Post a signed notice; return the answer's status."""
    body = words(payment, **changes)
    return client.post(NOTICE, body, content_type="application/json", headers=headers(body)).status_code


def online(order: Order) -> Payment:
    return Payment.objects.filter(order=order, method="online").latest("pk")
