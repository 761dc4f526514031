"""统一社会信用代码, the 18-character number of Chinese enterprises (GB 32100-2015): pure."""

import re

from django.utils.translation import gettext as _

from koomessage.common.errors import RuleViolation

LENGTH = 18
# Digits and capitals without I, O, S, V and Z, which are easily misread.
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SHAPE = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")


def read_number(text: str) -> str:
    """Return the number in capitals without spaces; RuleViolation where it cannot be one."""
    number = re.sub(r"[\s-]", "", text).upper()
    if len(number) != LENGTH:
        raise RuleViolation(
            _("The unified social credit code has 18 characters; this one has %(count)s.")
            % {"count": len(number)},
            field="registration_number",
        )
    if not _SHAPE.fullmatch(number):
        raise RuleViolation(
            _(
                "The code holds digits and capital letters except I, O, S, V and Z; the 3rd to 8th are digits."
            ),
            field="registration_number",
        )
    if check_character(number[:-1]) != number[-1]:
        raise RuleViolation(
            _("The last character does not fit the others: compare the code with the licence."),
            field="registration_number",
        )
    return number


def check_character(first: str) -> str:
    """Return the 18th character that belongs to the first 17: weights are powers of 3, modulo 31."""
    total = sum(ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(first))
    return ALPHABET[-total % 31]
