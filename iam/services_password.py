"""How passwords change. Sessions hold a hash of the password, so that every other one ends with it."""

from axes.utils import reset as forget_failures
from django.db import transaction

from iam import audit
from iam.models import User


def note_sign_in(*, user: User, ip_address: str | None) -> None:
    """Write down that the user has signed in, and from where."""
    audit.record(tenant=user.tenant, user=user, action="iam:session:create", target=user.login, ip=ip_address)


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Set the password its owner chose; all sessions end but the one the view renews."""
    _set(user, password)
    audit.record(tenant=user.tenant, user=user, action="iam:password:update", target=user.login)


@transaction.atomic
def reset_password(*, user: User, password: str) -> None:
    """Set the password of who came by the mailed link, and lift the lock of failed attempts.

    The link works once: what it proves includes the old password. It also proves the e-mail address.
    """
    _set(user, password)
    audit.record(tenant=user.tenant, user=user, action="iam:password:reset", target=user.login)
    forget_failures(username=user.login)


def _set(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
