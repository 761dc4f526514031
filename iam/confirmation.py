"""Operation protection (操作保护): who does something sensitive says once more who they are.

A page names its purpose, such as "billing.order:7". What is confirmed holds for that purpose alone, in this session,
for five minutes. Whoever adds another proof than the password adds it to `confirm`.
"""

import time

from django.conf import settings
from django.contrib.auth import authenticate
from django.utils.translation import gettext as _

from koomessage.common.errors import RuleViolation
from koomessage.common.requests import ConsoleRequest

GOOD_FOR = 300  # seconds
_KEY = "confirmed"


def is_needed(request: ConsoleRequest, purpose: str) -> bool:
    """Say whether the account wants a proof that was not given yet."""
    given = request.session.get(_KEY, {}).get(purpose, 0)
    return request.tenant.operation_protection and not 0 <= time.time() - given <= GOOD_FOR


def confirm(request: ConsoleRequest, purpose: str, password: str) -> None:
    """Take the password as proof. Raises RuleViolation for a wrong one; it counts towards the lock of the login."""
    user = authenticate(request, username=request.user.login, password=password)
    if getattr(request, "axes_locked_out", False):
        # Else the middleware would answer with the page for signing in.
        request.axes_locked_out = False  # type: ignore[attr-defined]
        minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
        raise RuleViolation(
            _("Too many wrong passwords. Try again in %(minutes)s minutes.") % {"minutes": minutes},
            field="password",
        )
    if user is None or user.pk != request.user.pk:
        raise RuleViolation(_("The password is wrong."), field="password")
    now = time.time()
    fresh = {key: at for key, at in request.session.get(_KEY, {}).items() if now - at <= GOOD_FOR}
    request.session[_KEY] = {**fresh, purpose: now}


def forget(request: ConsoleRequest, purpose: str) -> None:
    """End the proof once what it was for is done."""
    given = dict(request.session.get(_KEY, {}))
    if given.pop(purpose, None):
        request.session[_KEY] = given
