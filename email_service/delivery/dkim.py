"""DKIM (RFC 6376), relaxed/relaxed with RSA: the body hashed once, the headers once."""

import base64
import hashlib
import re

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_KEY_BITS = 2048
_SIGNED = (
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
)
_BLANKS = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_PADDING = padding.PKCS1v15()
_HASH = hashes.SHA256()


def generate_key() -> tuple[bytes, str]:
    """Answer a new private key as PEM, and its public half as the `p=` of its DNS record."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, base64.b64encode(public).decode("ascii")


class DkimSigner:
    """Signs for one domain with one key, loaded once."""

    def __init__(self, domain: str, selector: str, private_pem: bytes) -> None:
        # Made by `generate_key`: to look for its primes again takes a tenth of a second.
        key = serialization.load_pem_private_key(
            private_pem, password=None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _KEY_BITS:
            raise ValueError(f"A DKIM key is RSA with at least {_KEY_BITS} bits.")
        self._key = key
        self._start = f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector};\r\n\th=".encode(
            "ascii"
        )

    def sign(self, mail: bytes, *, is_canonical: bool = False) -> bytes:
        """Answer the mail with its signature in front; the same mail gives the same bytes.

        Whoever composed the mail may know that its body is in relaxed form, and spare it the look.
        """
        head, separator, body = mail.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError("The mail has no empty line after its headers.")
        fields = _fields(head)
        if b"from" not in fields:
            raise ValueError("The mail has no From field.")

        names = [name for name in _SIGNED if name in fields]
        # From is named twice: a second one added on the way breaks the signature.
        named = b":".join([b"from", b"from", *names])
        body_hash = base64.b64encode(hashlib.sha256(body if is_canonical else _relaxed_body(body)).digest())
        unsigned = self._start + named + b";\r\n\tbh=" + body_hash + b";\r\n\tb="
        lines = [name + b":" + fields[name] for name in (b"from", *names)]
        lines.append(b"dkim-signature:" + _relaxed_value(unsigned))
        signature = base64.b64encode(self._key.sign(b"\r\n".join(lines), _PADDING, _HASH))
        rows = [signature[start : start + 72] for start in range(0, len(signature), 72)]
        return b"DKIM-Signature: " + unsigned + b"\r\n\t ".join(rows) + b"\r\n" + mail


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Answer the relaxed value of each field; of several the last, as verifiers count from the end."""
    fields: dict[bytes, bytes] = {}
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        fields[name.strip().lower()] = _BLANKS.sub(b" ", value).strip(b" ")
    return fields


def _relaxed_value(value: bytes) -> bytes:
    return _BLANKS.sub(b" ", _FOLD.sub(b"", value)).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    # Our own bodies are canonical already, and looking is much cheaper than rewriting.
    if b"  " in body or b"\t" in body or b" \r\n" in body:
        body = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n")
    body = body.rstrip(b" ")
    if not body.endswith(b"\r\n") or body.endswith(b"\r\n\r\n") or body == b"\r\n":
        while body.endswith(b"\r\n"):
            body = body[:-2]
        body = body + b"\r\n" if body else b""
    return body
