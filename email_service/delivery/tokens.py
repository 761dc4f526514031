"""Unforgeable tokens for links and return addresses: a purpose, some ids, an HMAC (RFC 2104, SHA-256)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

_MAC = 16
_BLOCK = 64
_SHORTEST_KEY = 32
_LONGEST_TOKEN = 200
_BOUNCE = "bounce"


class Sealer:
    """Makes the tokens of one purpose with one key; what a million of them share is computed once."""

    def __init__(self, purpose: str, key: bytes) -> None:
        """Raises ValueError for a key that is too short."""
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"Tokens need keys of at least {_SHORTEST_KEY} octets.")
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        padded = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in padded) + purpose.encode() + b"\0")
        self._outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in padded))

    def mac(self, payload: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(payload)
        outer.update(inner.digest())
        return outer.digest()[:_MAC]

    def seal(self, *ids: int) -> bytes:
        payload = b"".join(map(_packed, ids))
        return self.mac(payload) + payload

    def token(self, *ids: int) -> str:
        """Answer a url-safe token."""
        return base64.urlsafe_b64encode(self.seal(*ids)).rstrip(b"=").decode("ascii")


# As many as there are purposes and keys, and a few of the tests'.
sealer = lru_cache(maxsize=64)(Sealer)


def sign(purpose: str, *ids: int, keys: Sequence[bytes]) -> str:
    """Answer a url-safe token, made with the first key."""
    _check(keys)
    return sealer(purpose, keys[0]).token(*ids)


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
    _check(keys)
    # Hexadecimal, since some mail servers change the case of what they return.
    return f"b+{sealer(_BOUNCE, keys[0]).seal(message_id).hex()}@{host}"


def read_bounce_sender(address: str, keys: Sequence[bytes]) -> int | None:
    """Answer the message a bounce address belongs to, or None when we did not make it."""
    local = address.rpartition("@")[0].lower()
    if not local.startswith("b+") or len(local) > _LONGEST_TOKEN:
        return None
    try:
        sealed = bytes.fromhex(local[2:])
    except ValueError:
        return None
    if sealed.hex() != local[2:]:
        return None
    ids = _opened(_BOUNCE, sealed, keys)
    return ids[0] if ids is not None and len(ids) == 1 else None


def _opened(purpose: str, sealed: bytes, keys: Sequence[bytes]) -> tuple[int, ...] | None:
    _check(keys)
    mac, payload = sealed[:_MAC], sealed[_MAC:]
    genuine = False
    for key in keys:
        genuine |= hmac.compare_digest(mac, sealer(purpose, key).mac(payload))
    return _unpacked(payload) if genuine else None


def _check(keys: Sequence[bytes]) -> None:
    if not keys or min(map(len, keys)) < _SHORTEST_KEY:
        raise ValueError(f"Tokens need keys of at least {_SHORTEST_KEY} octets.")


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
