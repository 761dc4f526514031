"""What 验证详情 says of a record, and what to do about it."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, str | Promise] = {
    "not_found": _("Nothing is published under this name yet. New records can take a few minutes to appear."),
    "differs": _("Another value is published under this name. Replace it with the expected value."),
    "not_spf": _(
        "There are TXT records under this name, but none of them is an SPF record. Add the expected value."
    ),
    "two_spf": _("There are several SPF records; receivers accept only one. Merge them into one record."),
    "spf_without_include": _(
        "The SPF record does not include this platform. Add the expected include to it, before “all”."
    ),
    "spf_include_too_late": _(
        "The include stands behind “all”, where receivers no longer look. Move it before “all”."
    ),
    "spf_too_many": _(
        "The SPF record costs {count} DNS look-ups; receivers stop at {most} and answer permerror. Remove "
        "includes, a, mx or ptr that you no longer need, or write their addresses as ip4 and ip6."
    ),
    "spf_void": _(
        "{count} names in the SPF record lead nowhere ({names}); receivers stop after {most} and answer "
        "permerror. Remove them from the record."
    ),
    "spf_circle": _(
        "The SPF record includes itself ({path}); receivers answer permerror. Remove the include that closes "
        "the circle."
    ),
    "spf_missing": _(
        "The SPF record relies on {name}, which does not have exactly one SPF record; receivers answer "
        "permerror. Remove it, or have it repaired there."
    ),
    "spf_crowded": _(
        "The mx of {name} in the SPF record has more than {most} mail servers; receivers answer permerror. "
        "Write their addresses as ip4 and ip6 instead."
    ),
    "name_doubled": _(
        "The record was found with the domain written twice in its name. Enter only the part "
        "before your domain as the host."
    ),
    "value_doubled": _(
        "Your own domain was appended to the value. Put a dot at the end of the value, or "
        "enter it as a full name."
    ),
    "quoted": _("The value was published with quotation marks around it. Remove the quotation marks."),
    "not_dkim": _(
        "There is a TXT record under this name, but it is no DKIM key. Replace it with the expected value."
    ),
    "two_dkim": _(
        "There are several DKIM keys under this name; receivers cannot choose. Keep only the expected one."
    ),
    "dkim_differs": _(
        "Another DKIM key is published. Replace it with the expected value, complete and without line breaks."
    ),
    "dkim_revoked": _("The published DKIM key is empty, which revokes it. Enter the expected value."),
    "dkim_limited": _(
        "The published DKIM key is limited to other uses or algorithms. Enter the expected value."
    ),
    "dkim_old_gone": _(
        "The old key's record was removed early. Publish it again until the date above, so that mails under "
        "way can still be verified."
    ),
    "two_dmarc": _("There are several DMARC policies; receivers then ignore all of them. Keep only one."),
    "no_answer": _("The name servers did not answer. Nothing was changed; verify again in a few minutes."),
    "loop": _(
        "The CNAME records lead in a circle or through too many names. Point this one "
        "straight at the expected value."
    ),
    "dmarc_direct": _("A DMARC policy of your own is published here, which is accepted."),
    "no_account": _("No account has this domain, so there is no value to compare with."),
}


def explain(reason: str, values: Mapping[str, object]) -> str:
    """Return the sentence for a reason, with what it counts and names; nothing for none."""
    return str(REASONS.get(reason, "")).format(**values)
