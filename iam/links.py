"""Links in the platform's own mail that prove who reads it."""

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from iam.models import User

CONFIRMATION_DAYS = 3
_SALT = "iam.email-confirmation"


def confirmation_link(user: User) -> str:
    token = signing.dumps([user.pk, user.email], salt=_SALT)
    return settings.BASE_URL + reverse("iam:signup_confirm", args=[token])


def read_confirmation(token: str) -> User | None:
    """Return whom the link was sent to, None where it is no link of ours, too old, or for another address."""
    try:
        pk, email = signing.loads(token, salt=_SALT, max_age=CONFIRMATION_DAYS * 24 * 3600)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=pk, email=email).first()


def reset_link(user: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return settings.BASE_URL + reverse(
        "iam:password_reset", args=[uid, default_token_generator.make_token(user)]
    )


def read_reset(uid: str, token: str) -> User | None:
    """Return whom the link was sent to, None where it was used, is too old, or is no link of ours."""
    try:
        pk = int(urlsafe_base64_decode(uid).decode())
    except (ValueError, UnicodeDecodeError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first() if pk < 2**63 else None
    return user if user is not None and default_token_generator.check_token(user, token) else None
