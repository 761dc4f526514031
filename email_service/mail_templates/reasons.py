"""Ready sentences for a rejection; the account reads them in its own language."""

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Keys stand in forms; the order is that of the page.
REASONS: dict[str, str | Promise] = {
    "sender": _("The mail does not say who sends it. Name your company or brand."),
    "links": _("A link leads somewhere else than it says. Make its words and its address agree."),
    "content": _("The content does not match your verified business."),
    "claims": _("The mail promises or claims what cannot be proved. Remove it or state the terms."),
    "unsubscribe": _("This is marketing mail without unsubscribing. Tick “Support unsubscribing”."),
    "hidden": _("The mail holds text that recipients cannot see. Remove it or make it visible."),
    "pictures": _("Nearly everything is in pictures. Write the message as text as well."),
    "personal": _(
        "The mail asks for passwords, codes or payment details. Ask for them on your website only."
    ),
    "forbidden": _("The content is forbidden by law or by the service agreement."),
}


def reason_text(keys: list[str], words: str) -> str:
    """Return the ready sentences and the reviewer's own, a line each, in the platform's language."""
    with translation.override(settings.LANGUAGE_CODE):
        lines = [str(REASONS[key]) for key in REASONS if key in keys]
    return "\n".join([*lines, words.strip()] if words.strip() else lines)


def in_reader_language(text: str) -> str:
    """Return the stored reason with its ready sentences in the active language."""
    if not text:
        return ""
    known: dict[str, str] = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            known |= {str(sentence): key for key, sentence in REASONS.items()}
    return "\n".join(str(REASONS[known[line]]) if line in known else line for line in text.split("\n"))
