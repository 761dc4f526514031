"""What a server's reply means: one table, read from the top, the first row that fits decides.

The reply's code decides between now, later and never; enhanced codes and known texts refine it.
A throttle written as 5xx is still a throttle: the mail is good, only too fast.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Verdict(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    THROTTLED = "throttled"
    # Said by a transport, never by a server: not sent, and not an attempt.
    WITHHELD = "withheld"


class Cause(StrEnum):
    ACCEPTED = "accepted"
    NO_MAILBOX = "no_mailbox"
    MAILBOX_FULL = "mailbox_full"
    POLICY = "policy"
    RATE = "rate"
    SETUP = "setup"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row fits when its patterns match the code, the enhanced code and somewhere in the text."""

    code: str
    enhanced: str
    text: str
    verdict: Verdict
    cause: Cause
    source: str

    def fits(self, code: int, enhanced: str, text: str) -> bool:
        return bool(
            re.fullmatch(self.code, str(code))
            and (not self.enhanced or re.fullmatch(self.enhanced, enhanced))
            and (not self.text or re.search(self.text, text, re.IGNORECASE))
        )


_DELIVERED, _FAILED, _REJECTED = Verdict.DELIVERED, Verdict.FAILED, Verdict.REJECTED
_DEFERRED, _THROTTLED = Verdict.DEFERRED, Verdict.THROTTLED
_NETEASE_RATE = (
    r"\b(HL:ICC|HL:IFC|HL:REP|MI:CEL|MI:DMC|MI:CCL|MI:STC|MI:SFQ|RP:DRC|RP:CCL|RP:TRC|RP:RCL|RP:QRC)\b"
)
_NETEASE_POLICY = r"\b(DT:SPM|DT:SUM|MI:SPF|HL:IPB|HL:ITC|HL:MEP|MI:SPB|MI:IMF|MI:NHD)\b"
_UNKNOWN_USER = (
    r"(user|mailbox|recipient|account|address|rcpt)\b.{0,60}"
    r"(unknown|not found|not exist|doesn'?t exist|dosn'?t exist|no such|unavailable|disabled"
    r"|inactive|invalid)"
    r"|(unknown|no such|invalid|non-?existent) (local )?(user|mailbox|recipient|account|address|rcptto)"
)
_UNKNOWN_SENDER = (
    r"\b(sender|mail from|return.path)\b.{0,80}"
    r"(unknown|not found|not exist|doesn'?t exist|no such|invalid|verify failed|verification failed)"
    r"|(unknown|no such|invalid|non-?existent) sender"
)
_FULL = (
    r"mailbox (is )?full|over ?quota|quota (is )?exceeded|exceeded.{0,20}storage"
    r"|insufficient (system )?storage|(信箱|邮箱)已?满"
)
_SPAM = (
    r"\bspam\b|black ?list|block ?list|blocked|\bdmarc\b|\bspf\b|reputation|content (denied|rejected)|virus"
)
_RATE = (
    r"frequency limit|rate limit|too (many|much) (messages|mails|connections|recipients|concurrent)|too fast"
    r"|sending limit|throttl|exceed\w* .{0,30}(rate|per (hour|day|minute))"
)

RULES: tuple[Rule, ...] = (
    Rule("2..", "", "", _DELIVERED, Cause.ACCEPTED, "RFC 5321 4.2.1: positive completion"),
    Rule(
        "53[0458]",
        "",
        "",
        _DEFERRED,
        Cause.SETUP,
        "RFC 4954 6: the relay wants other credentials, not other mail",
    ),
    Rule("526", "", "auth", _DEFERRED, Cause.SETUP, "Aliyun: 526 Authentication failure"),
    # Throttles, whatever their first digit
    Rule(
        "[45]..",
        "",
        "frequency limited",
        _THROTTLED,
        Cause.RATE,
        "QQ: 550 Domain/Ip/Connection/Sender frequency limited",
    ),
    Rule(
        "[45]..",
        "",
        _NETEASE_RATE,
        _THROTTLED,
        Cause.RATE,
        "163/126 (NetEase): limits of connections, mails, recipients",
    ),
    Rule(
        "4..",
        "",
        _NETEASE_POLICY,
        _THROTTLED,
        Cause.RATE,
        "163/126 (NetEase): suspected, try later and slower",
    ),
    Rule(
        "[45]..",
        "",
        r"frequency too high|sender rate",
        _THROTTLED,
        Cause.RATE,
        "Aliyun: rate of a sender or recipient",
    ),
    Rule(
        "[45]..",
        r"4\.7\.28|5\.4\.5|5\.7\.28",
        "",
        _THROTTLED,
        Cause.RATE,
        "Gmail: unusual rate, daily sending limit",
    ),
    Rule("450", r"4\.2\.1", "rate", _THROTTLED, Cause.RATE, "Gmail: this user receives mail too fast"),
    Rule(
        "4..",
        r"4\.7\.(500|65\d|0)",
        r"busy|\bS77\d\b|\bTSS?\d\d\b|RP-00",
        _THROTTLED,
        Cause.RATE,
        "Outlook, Yahoo: slow down",
    ),
    Rule("[45]..", "", r"\bRP-00[123]\b", _THROTTLED, Cause.RATE, "Outlook: rate limit of an address"),
    Rule(
        "[45]..",
        r"[45]\.4\.5|[45]\.3\.2",
        "",
        _THROTTLED,
        Cause.RATE,
        "RFC 3463: congestion, system not accepting",
    ),
    Rule("452", r"4\.5\.3", "", _THROTTLED, Cause.RATE, "RFC 3463: too many recipients"),
    Rule("[45]..", "", _RATE, _THROTTLED, Cause.RATE, "commonly seen: a rate, in words"),
    Rule(
        "421",
        r"4\.7\.\d+",
        "",
        _THROTTLED,
        Cause.RATE,
        "commonly seen: 421 4.7.0, connection refused for rate",
    ),
    # Full mailboxes
    Rule("4..", r"4\.2\.2", "", _DEFERRED, Cause.MAILBOX_FULL, "RFC 3463 X.2.2"),
    Rule("5..", r"5\.2\.2", "", _FAILED, Cause.MAILBOX_FULL, "RFC 3463 X.2.2"),
    Rule("4..", "", _FULL, _DEFERRED, Cause.MAILBOX_FULL, "commonly seen: full, in words"),
    Rule("5..", r"|5\.[0123]\.\d+", _FULL, _FAILED, Cause.MAILBOX_FULL, "commonly seen: full, in words"),
    # Later
    Rule(
        "4..",
        "",
        "",
        _DEFERRED,
        Cause.TEMPORARY,
        "RFC 5321 4.2.1: transient negative completion, greylisting too",
    ),
    # Never: policy
    Rule("5..", r"5\.7\.\d+", "", _REJECTED, Cause.POLICY, "RFC 3463 X.7.X: security or policy"),
    Rule(
        "5..",
        "",
        _NETEASE_POLICY,
        _REJECTED,
        Cause.POLICY,
        "163/126 (NetEase): content, sender or address refused",
    ),
    Rule(
        "550",
        "",
        "mail content denied|suspected (bounce )?attacks",
        _REJECTED,
        Cause.POLICY,
        "QQ: content refused",
    ),
    Rule(
        "554",
        "",
        "reject by (behaviou?r|content) spam|spam content",
        _REJECTED,
        Cause.POLICY,
        "Aliyun: taken for spam",
    ),
    # Never: the sender's address, which says nothing about the recipient's
    Rule("5..", r"5\.1\.[78]", "", _FAILED, Cause.PERMANENT, "RFC 3463 X.1.7, X.1.8: bad sender's address"),
    Rule(
        "5..",
        r"|5\.[01]\.\d+",
        _UNKNOWN_SENDER,
        _FAILED,
        Cause.PERMANENT,
        "commonly seen: unknown sender, in words; Exim: Sender verify failed",
    ),
    # Never: no such mailbox
    Rule(
        "5..",
        r"5\.1\.(1|2|3|6|10)|5\.2\.1",
        "",
        _FAILED,
        Cause.NO_MAILBOX,
        "RFC 3463 X.1.X, RFC 7505: bad destination",
    ),
    Rule(
        "550",
        "",
        "user suspended",
        _FAILED,
        Cause.NO_MAILBOX,
        "163/126 (NetEase): 550 User suspended, the recipient's mailbox is closed",
    ),
    Rule(
        "550",
        "",
        "mailbox (not found|unavailable or access denied)",
        _FAILED,
        Cause.NO_MAILBOX,
        "QQ: 550 Mailbox not found, or unavailable or access denied",
    ),
    Rule("559", "", "invalid rcptto", _FAILED, Cause.NO_MAILBOX, "Aliyun: 559 Invalid rcptto"),
    Rule(
        "5..",
        r"|5\.[01]\.\d+",
        _UNKNOWN_USER,
        _FAILED,
        Cause.NO_MAILBOX,
        "commonly seen: unknown user, in words",
    ),
    Rule("551", "", "", _FAILED, Cause.NO_MAILBOX, "RFC 5321 4.2.2: user not local"),
    # Never: the rest
    Rule(
        "55[0134]",
        r"|5\.0\.\d+",
        _SPAM,
        _REJECTED,
        Cause.POLICY,
        "commonly seen: spam or block list, in words",
    ),
    Rule("5..", "", "", _FAILED, Cause.PERMANENT, "RFC 5321 4.2.1: permanent negative completion"),
    Rule(".*", "", "", _DEFERRED, Cause.TEMPORARY, "not a reply of SMTP: nothing can be concluded"),
)


@lru_cache(maxsize=4096)
def explain(code: int, enhanced: str, text: str) -> Rule:
    """Answer the row that decides."""
    return next(rule for rule in RULES if rule.fits(code, enhanced, text))


def judge(code: int, enhanced: str, text: str, *, sent: bool) -> Verdict:
    """Answer what the reply means; only an answer to the final dot can mean that it was delivered."""
    verdict = classify(code, enhanced, text)
    return Verdict.DEFERRED if verdict is Verdict.DELIVERED and not sent else verdict


def classify(code: int, enhanced: str, text: str) -> Verdict:
    """Answer what the reply means for the message."""
    if 200 <= code <= 299:
        return Verdict.DELIVERED
    return explain(code, enhanced, text).verdict
