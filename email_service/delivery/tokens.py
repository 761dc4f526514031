"""Unforgeable tokens for links and return addresses: a purpose, some ids, an HMAC."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

_MAC = 16
_SHORTEST_KEY = 32
_LONGEST_TOKEN = 200
_BOUNCE = "bounce"


def sign(purpose: str, *ids: int, keys: Sequence[bytes]) -> str:
    """Answer a url-safe token, made with the first key."""
    return base64.urlsafe_b64encode(_sealed(purpose, ids, keys)).rstrip(b"=").decode("ascii")


def read(purpose: str, token: str, keys: Sequence[bytes]) -> tuple[int, ...] | None:
    """Answer the ids of a token any key made for this purpose, else None; in constant time."""
    try:
        octets = token.encode("ascii")
        sealed = base64.urlsafe_b64decode(octets + b"=" * (-len(octets) % 4))
    except ValueError:
        return None
    # Two spellings of one token would make a changed token pass.
    if len(token) > _LONGEST_TOKEN or base64.urlsafe_b64encode(sealed).rstrip(b"=") != octets:
        return None
    return _opened(purpose, sealed, keys)


def bounce_sender(message_id: int, host: str, keys: Sequence[bytes]) -> str:
    """Answer the envelope sender to which a message's bounces come back."""
    # Base32, since some mail servers change the case of what they return.
    token = base64.b32encode(_sealed(_BOUNCE, (message_id,), keys)).rstrip(b"=").decode("ascii").lower()
    return f"b+{token}@{host}"


def read_bounce_sender(address: str, keys: Sequence[bytes]) -> int | None:
    """Answer the message a bounce address belongs to, or None when we did not make it."""
    local = address.rpartition("@")[0].lower()
    if not local.startswith("b+") or len(local) > _LONGEST_TOKEN:
        return None
    try:
        octets = local[2:].upper().encode("ascii")
        sealed = base64.b32decode(octets + b"=" * (-len(octets) % 8))
    except ValueError:
        return None
    if base64.b32encode(sealed).rstrip(b"=") != octets:
        return None
    ids = _opened(_BOUNCE, sealed, keys)
    return ids[0] if ids is not None and len(ids) == 1 else None


def _sealed(purpose: str, ids: Sequence[int], keys: Sequence[bytes]) -> bytes:
    _check(keys)
    payload = b"".join(_packed(number) for number in ids)
    return _mac(purpose, payload, keys[0]) + payload


def _opened(purpose: str, sealed: bytes, keys: Sequence[bytes]) -> tuple[int, ...] | None:
    _check(keys)
    mac, payload = sealed[:_MAC], sealed[_MAC:]
    genuine = False
    for key in keys:
        genuine |= hmac.compare_digest(mac, _mac(purpose, payload, key))
    return _unpacked(payload) if genuine else None


def _check(keys: Sequence[bytes]) -> None:
    if not keys or min(map(len, keys)) < _SHORTEST_KEY:
        raise ValueError(f"Tokens need keys of at least {_SHORTEST_KEY} octets.")


def _mac(purpose: str, payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\0" + payload, hashlib.sha256)[:_MAC]


def _packed(number: int) -> bytes:
    if number < 0 or number >= 1 << 64:
        raise ValueError("A token holds ids from 0 up to 64 bits.")
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([len(octets)]) + octets


def _unpacked(payload: bytes) -> tuple[int, ...] | None:
    ids: list[int] = []
    place = 0
    while place < len(payload):
        end = place + 1 + payload[place]
        if end > len(payload):
            return None
        ids.append(int.from_bytes(payload[place + 1 : end], "big"))
        place = end
    return tuple(ids)
