"""What a page may load and where it may lead, in the words of Content-Security-Policy: our own, and nothing inline."""

from collections.abc import Sequence

from csp.constants import NONE, SELF


def content_policy(*, forms_lead_to: Sequence[str]) -> dict[str, list[str]]:
    """Return the directives; forms may lead to our own pages and to these origins."""
    return {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF, *forms_lead_to],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
