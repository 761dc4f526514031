"""The links in mails that lead back to the platform, and the keys that make them unforgeable."""

import hashlib
from functools import lru_cache

from django.conf import settings
from django.urls import get_script_prefix, reverse

from email_service.delivery import tokens

UNSUBSCRIBE = "unsubscribe"
TRACK = "track"


class LinkMaker:
    """Makes the personal links of mails; what all of them share is asked once."""

    def __init__(self, before: str, after: str, key: bytes) -> None:
        self._before = before
        self._after = after
        self._unsubscribe = tokens.sealer(UNSUBSCRIBE, key).token
        self.tracking_token = tokens.sealer(TRACK, key).token

    def unsubscribe_url(self, message_id: int) -> str:
        return self._before + self._unsubscribe(message_id) + self._after


def link_maker() -> LinkMaker:
    """Return what makes the links of mails as the settings are now."""
    return LinkMaker(*_around_token(settings.PUBLIC_URL, get_script_prefix()), link_keys()[0])


def unsubscribe_url(message_id: int) -> str:
    """Return the address at which the message's recipient unsubscribes; the same whenever asked."""
    return link_maker().unsubscribe_url(message_id)


@lru_cache(maxsize=4)
def _around_token(base: str, prefix: str) -> tuple[str, str]:
    # Asked of the URLs once: a million mails differ in the token alone.
    before, _, after = reverse("public:unsubscribe", args=["TOKEN"]).partition("TOKEN")
    return base + before, after


def read_unsubscribe_token(token: str) -> int | None:
    """Return the message an unsubscribe token was made for, None when we did not make it."""
    ids = tokens.read(UNSUBSCRIBE, token, link_keys())
    return ids[0] if ids is not None and len(ids) == 1 else None


def link_keys() -> tuple[bytes, ...]:
    """Return the keys of links: the first signs; those of SECRET_KEY_FALLBACKS still open older mails."""
    return _derived((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _derived(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    # A key of its own: what signs sessions signs nothing that stands in a stranger's mailbox.
    return tuple(hashlib.sha256(b"koomessage.links\0" + secret.encode()).digest() for secret in secrets)
