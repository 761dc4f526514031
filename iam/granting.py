"""Nobody grants what they lack: what a change of policies gives away, and whether the giver holds it."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from iam.backends import policy_documents
from iam.models import User
from iam.policies import held_actions, named_actions
from koomessage.common.errors import RuleViolation


def refuse_unheld(giver: User, *, added: Iterable[Any] = (), removed: Iterable[Any] = ()) -> None:
    """Raise RuleViolation where the change could allow somebody an action that the giver may not do.

    What counts is the most a change can give: all that an added document may allow, whatever its
    conditions, and all that a removed one denied.
    """
    if giver.is_main:
        return
    given = {action for document in added for action in named_actions(document, "Allow")}
    given |= {action for document in removed for action in named_actions(document, "Deny")}
    lacking = sorted(given - held_actions(policy_documents(giver)))
    if lacking:
        names = ", ".join(lacking[:3]) + ("…" if len(lacking) > 3 else "")
        raise RuleViolation(
            _("You cannot give rights that you do not have yourself: %(actions)s.") % {"actions": names}
        )
