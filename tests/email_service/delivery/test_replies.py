import pytest

from email_service.delivery.replies import RULES, Cause, Verdict, classify, explain


@pytest.mark.parametrize(
    ("code", "enhanced", "text", "verdict", "cause"),
    [
        (250, "2.0.0", "Ok: queued as 12345", Verdict.DELIVERED, Cause.ACCEPTED),
        (251, "", "User not local; will forward", Verdict.DELIVERED, Cause.ACCEPTED),
        (
            550,
            "5.1.1",
            "The email account that you tried to reach does not exist",
            Verdict.FAILED,
            Cause.NO_MAILBOX,
        ),
        (550, "", "User not found: nobody@163.com", Verdict.FAILED, Cause.NO_MAILBOX),
        (550, "", "No such user here", Verdict.FAILED, Cause.NO_MAILBOX),
        (550, "5.1.8", "Sender address rejected: Domain not found", Verdict.FAILED, Cause.PERMANENT),
        (553, "", "sender address: user unknown", Verdict.FAILED, Cause.PERMANENT),
        (550, "", "No such user here. Sender verify failed", Verdict.FAILED, Cause.PERMANENT),
        (554, "", "RCPT (nobody@aliyun.com) dosn't exist", Verdict.FAILED, Cause.NO_MAILBOX),
        (559, "", "Invalid rcptto [@sm070102]", Verdict.FAILED, Cause.NO_MAILBOX),
        (556, "5.1.10", "Recipient address has null MX", Verdict.FAILED, Cause.NO_MAILBOX),
        (552, "5.2.2", "Over quota", Verdict.FAILED, Cause.MAILBOX_FULL),
        (452, "4.2.2", "Mailbox full", Verdict.DEFERRED, Cause.MAILBOX_FULL),
        (552, "", "Mailbox is full", Verdict.FAILED, Cause.MAILBOX_FULL),
        (552, "5.3.4", "Message size exceeds fixed limit", Verdict.FAILED, Cause.PERMANENT),
        (554, "5.7.1", "Message rejected under suspicion of SPAM", Verdict.REJECTED, Cause.POLICY),
        (550, "5.7.26", "Unauthenticated mail is prohibited", Verdict.REJECTED, Cause.POLICY),
        (550, "", "Mail content denied. http://service.mail.qq.com/", Verdict.REJECTED, Cause.POLICY),
        (554, "", "DT:SPM 163 smtp10,D8CowA", Verdict.REJECTED, Cause.POLICY),
        (554, "", "Reject by behaviour spam", Verdict.REJECTED, Cause.POLICY),
        (
            550,
            "",
            "Domain frequency limited [AAA]. http://service.mail.qq.com/",
            Verdict.THROTTLED,
            Cause.RATE,
        ),
        (550, "", "Ip frequency limited", Verdict.THROTTLED, Cause.RATE),
        (550, "", "Connection frequency limited", Verdict.THROTTLED, Cause.RATE),
        (550, "", "Sender frequency limited", Verdict.THROTTLED, Cause.RATE),
        (550, "", "Mailbox unavailable or access denied", Verdict.FAILED, Cause.NO_MAILBOX),
        (550, "", "Mailbox not found. http://service.mail.qq.com/", Verdict.FAILED, Cause.NO_MAILBOX),
        (550, "", "Suspected bounce attacks", Verdict.REJECTED, Cause.POLICY),
        (550, "", "User suspended", Verdict.FAILED, Cause.NO_MAILBOX),
        (550, "", "User in blacklist", Verdict.REJECTED, Cause.POLICY),
        (554, "", "MI:SPF mx35,QMCowEA5A0", Verdict.REJECTED, Cause.POLICY),
        (451, "", "MI:SPF mx35,QMCowEA5A0", Verdict.THROTTLED, Cause.RATE),
        (421, "", "HL:REP 163 mx12, IP in bad reputation", Verdict.THROTTLED, Cause.RATE),
        (550, "", "RP:TRC too many recipients in a short time", Verdict.THROTTLED, Cause.RATE),
        (553, "", "sender rate limit exceeded", Verdict.THROTTLED, Cause.RATE),
        (554, "", "Reject by content spam at DATA", Verdict.REJECTED, Cause.POLICY),
        (450, "4.2.1", "The user is receiving mail at a rate that prevents", Verdict.THROTTLED, Cause.RATE),
        (451, "4.7.650", "The mail server has been temporarily rate limited", Verdict.THROTTLED, Cause.RATE),
        (421, "4.7.0", "[TSS04] Messages temporarily deferred", Verdict.THROTTLED, Cause.RATE),
        (451, "4.7.0", "[TS01] Messages temporarily deferred", Verdict.THROTTLED, Cause.RATE),
        (554, "", "MI:STC smtp5 too many mails", Verdict.THROTTLED, Cause.RATE),
        (450, "", "MI:CEL 163 smtp3", Verdict.THROTTLED, Cause.RATE),
        (451, "", "DT:SPM 163 smtp3, please try again", Verdict.THROTTLED, Cause.RATE),
        (421, "4.7.0", "Try again later", Verdict.THROTTLED, Cause.RATE),
        (421, "4.7.28", "Our system has detected an unusual rate", Verdict.THROTTLED, Cause.RATE),
        (451, "4.7.500", "Server busy. Please try again later", Verdict.THROTTLED, Cause.RATE),
        (451, "4.7.1", "Greylisting in action, please come back later", Verdict.DEFERRED, Cause.TEMPORARY),
        (450, "4.2.0", "Greylisted", Verdict.DEFERRED, Cause.TEMPORARY),
        (451, "", "Temporary local problem", Verdict.DEFERRED, Cause.TEMPORARY),
        (421, "", "Service shutting down", Verdict.DEFERRED, Cause.TEMPORARY),
        (530, "5.7.0", "Must issue a STARTTLS command first", Verdict.DEFERRED, Cause.SETUP),
        (535, "5.7.8", "Authentication credentials invalid", Verdict.DEFERRED, Cause.SETUP),
        (554, "5.5.1", "No valid recipients", Verdict.FAILED, Cause.PERMANENT),
        (550, "", "", Verdict.FAILED, Cause.PERMANENT),
        (354, "", "Go on", Verdict.DEFERRED, Cause.TEMPORARY),
        (0, "", "", Verdict.DEFERRED, Cause.TEMPORARY),
        (999, "9.9.9", "?", Verdict.DEFERRED, Cause.TEMPORARY),
    ],
)
def test_a_reply_means_what_the_table_says(code, enhanced, text, verdict, cause):
    rule = explain(code, enhanced, text)

    assert (rule.verdict, rule.cause) == (verdict, cause)
    assert classify(code, enhanced, text) == verdict


@pytest.mark.parametrize("code", range(200, 600))
def test_without_words_the_first_digit_decides_between_now_later_and_never(code):
    verdict = classify(code, "", "")

    if code < 300:
        assert verdict == Verdict.DELIVERED
    elif code < 500 or code in (530, 534, 535, 538):
        assert verdict == Verdict.DEFERRED
    else:
        assert verdict == Verdict.FAILED


def test_every_row_names_its_source_and_no_server_withholds():
    assert all(rule.source for rule in RULES)
    assert Verdict.WITHHELD not in {rule.verdict for rule in RULES}
