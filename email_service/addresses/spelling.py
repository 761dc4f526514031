"""How a sender address's prefix and alias may be written."""

import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from koomessage.common.errors import RuleViolation

MAX_PREFIX = 64  # RFC 5321 section 4.5.3.1.1
MAX_ALIAS = 64
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(\.{_ATOM})*")
# Invisible characters with a use inside names: joiners (emoji, Indic and Persian script) and flag tags.
_JOINERS = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}


def clean_prefix(text: str) -> str:
    """Return the local part, or refuse with a sentence: a dot-atom of RFC 5321, at most 64 characters."""
    prefix = re.sub(
        "[\uff01-\uff5e]", lambda found: chr(ord(found[0]) - 0xFEE0), text.strip().replace("。", ".")
    )
    if "@" in prefix:
        raise RuleViolation(
            _("Enter only the part before the @; the domain is chosen above."), field="prefix"
        )
    if len(prefix) > MAX_PREFIX:
        raise RuleViolation(_("The prefix may be at most 64 characters long."), field="prefix")
    if not _DOT_ATOM.fullmatch(prefix):
        raise RuleViolation(
            _(
                "Use letters, digits and the characters . _ - + and the like, without spaces; "
                "a dot may not stand first, last or twice in a row."
            ),
            field="prefix",
        )
    return prefix


def clean_alias(text: str) -> str:
    """Return the alias with single spaces; refused: over 64 characters, control or direction characters."""
    alias = " ".join(unicodedata.normalize("NFC", text).replace("\u3000", " ").split(" ")).strip()
    alias = re.sub(" {2,}", " ", alias)
    if len(alias) > MAX_ALIAS:
        raise RuleViolation(_("The alias may be at most 64 characters long."), field="alias")
    if any(_is_hidden(char) for char in alias):
        raise RuleViolation(
            _(
                "The alias holds an invisible character (a line break or a change of direction). Type it anew."
            ),
            field="alias",
        )
    return alias


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _JOINERS
