"""Pictures on other hosts: recipients' programs load them, previews do not (no host learns who looks)."""

import re
from urllib.parse import quote

from django.conf import settings

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="140" viewBox="0 0 320 140">'
    '<rect width="320" height="140" fill="#e8eeed"/><g fill="none" stroke="#8b9c99" stroke-width="3">'
    '<rect x="136" y="48" width="48" height="40" rx="4"/><path d="m140 82 14-15 9 9 7-7 10 11"/></g>'
    '<circle cx="150" cy="59" r="4" fill="#8b9c99"/></svg>'
)
PLACEHOLDER = "data:image/svg+xml," + quote(_SVG)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"""(<img\b[^>]*?\ssrc=)(["'])([^"']*)\2""", re.IGNORECASE)
_BACKGROUND = re.compile(r"""\sbackground=(["'])([^"']*)\1""", re.IGNORECASE)
# Pictures for other screens: a grey one serves them all.
_SOURCE = re.compile(r"<source\b[^<>]*>", re.IGNORECASE)
_SRCSET = re.compile(r"""\ssrcset=(["'])([^"']*)\1""", re.IGNORECASE)
_URL = re.compile(r"url\(\s*(?:&quot;|&#39;|[\"'])?\s*([^)]*?)\)", re.IGNORECASE)


def has_remote_pictures(body: str) -> bool:
    """Say whether a body shows pictures that do not lie on this platform."""
    addresses = [found[3] for found in _IMAGE.finditer(body)]
    addresses += [found[2] for found in _BACKGROUND.finditer(body)]
    addresses += [found[1] for found in _URL.finditer(body)]
    addresses += [part.strip() for found in _SRCSET.finditer(body) for part in found[2].split(",")]
    return any(address.startswith(("http://", "https://")) and not _is_ours(address) for address in addresses)


def without_remote_pictures(document: str) -> str:
    """Put a grey picture in place of each one that another host would serve."""
    document = _SRCSET.sub("", _SOURCE.sub("", _COMMENT.sub("", document)))
    document = _IMAGE.sub(
        lambda found: found[0] if _is_ours(found[3]) else f"{found[1]}{found[2]}{PLACEHOLDER}{found[2]}",
        document,
    )
    document = _BACKGROUND.sub(lambda found: found[0] if _is_ours(found[2]) else "", document)
    return _URL.sub(lambda found: found[0] if _is_ours(found[1]) else "none", document)


def _is_ours(address: str) -> bool:
    return address.startswith((f"{settings.PUBLIC_URL}/", "data:"))
