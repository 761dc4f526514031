"""Why a row became no message, and why a task stands still: keys in the database, sentences for readers."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ROW: dict[str, str | Promise] = {
    "no_address": _("There is no e-mail address in this row."),
    "bad_address": _("This is not an e-mail address mail can be sent to."),
    "duplicate": _("This address stands in an earlier row; it gets one mail."),
    "suppressed": _("This address is on the suppression list."),
    "no_value": _("A column the template needs is empty in this row."),
    "bad_link": _("A link's value in this row does not start with http:// or https://."),
    "long_value": _("A value in this row is longer than 1,000 characters."),
}
TASK: dict[str, str | Promise] = {
    "bad_file": _("The recipient file cannot be read. Save it again as .xlsx and submit a new task."),
    "missing_columns": _("The recipient file lacks a column for: %(detail)s. Add it and submit a new task."),
    "too_many_rows": _(
        "The recipient file has more than %(detail)s rows. Split it and submit several tasks."
    ),
    "no_template": _("The template was deleted meanwhile. Choose another one in the form."),
    "no_rows": _("The first sheet has no row below its header; add the recipients."),
    "nobody": _("No row of the recipient file could be sent to; the list below says why."),
    "none_left": _("All of those recipients are on the suppression list by now."),
    "units": _(
        "There are not enough units for this many recipients. Buy a package or top up, then submit again."
    ),
    "late": _(
        "The hour of this task passed while the platform was not running. Resume it if it is still wanted."
    ),
    "mail": _("The mail of this task cannot be made any more. Check its sending domain, then resume it."),
    "arrears": _(
        "The account is in arrears, and this task goes beyond its packages. Top up the balance; the task then goes on"
        " by itself."
    ),
    "by_hand": _("Paused by %(detail)s."),
}

# A task paused for one of these goes on, or ends, only when somebody says so.
LATE = "late"
NEED_DECISION = (LATE, "mail")


def task_sentence(stored: str) -> str:
    """Return the sentence for what `keep` made, empty for nothing."""
    key, _separator, detail = stored.partition(":")
    if key not in TASK:
        return stored
    sentence = str(TASK[key])
    return sentence % {"detail": detail} if "%(detail)s" in sentence else sentence


def keep(key: str, detail: str = "") -> str:
    """Return what is stored in `Task.status_reason`."""
    return f"{key}:{detail}"[:500] if detail else key
