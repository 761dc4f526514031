"""Sending directly: the servers of a domain are found in the DNS, and tried in the order it says (F-32)."""

import threading
import time

import pytest

from email_service.delivery.replies import Verdict
from tests.email_service.delivery.internet import Internet
from tests.email_service.delivery.peer import Cut, KeepAndCut, Say
from tests.email_service.delivery.senders import deliver, make_envelope


def to(*recipients: str) -> list:
    return [make_envelope(number, recipient=who) for number, who in enumerate(recipients, 1)]


def one(outcomes: dict):
    [outcome] = outcomes.values()
    return outcome


def test_mail_goes_to_the_server_that_the_domain_prefers(internet: Internet):
    first = internet.server("mx1.example.org", "127.0.0.2")
    second = internet.server("mx2.example.org", "127.0.0.3")
    internet.domain("example.org", (20, "mx2.example.org"), (10, "mx1.example.org"))

    with internet.engine() as engine:
        outcomes = deliver(engine, 30)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
    assert {outcome.host for outcome in outcomes.values()} == {"mx1.example.org [127.0.0.2]"}
    assert (len(first.received), len(second.received)) == (30, 0)
    assert first.connections <= 3


def test_every_domain_gets_its_own_mail_and_one_recipient_a_transaction(internet: Internet):
    ours = internet.server("mx.example.org", "127.0.0.2")
    theirs = internet.server("mx.example.net", "127.0.0.3")
    internet.domain("example.org", "mx.example.org")
    internet.domain("example.net", "mx.example.net")

    with internet.engine() as engine:
        deliver(engine, to("a@example.org", "b@example.net", "c@EXAMPLE.org", "d@example.net"))

    assert ours.recipients == ["a@example.org", "c@example.org"]
    assert theirs.recipients == ["b@example.net", "d@example.net"]
    assert len([command for command in ours.commands if command.startswith("MAIL")]) == 2


def test_the_next_server_is_tried_where_the_first_is_down_or_busy(internet: Internet):
    busy = internet.server(
        "mx2.example.org",
        "127.0.0.3",
        lambda session, stage, argument: Say("421 busy") if stage == "banner" else None,
    )
    last = internet.server("mx3.example.org", "127.0.0.4")
    internet.zone.add("mx1.example.org", "A", "127.0.0.2")
    internet.domain("example.org", "mx0.example.org", "mx1.example.org", "mx2.example.org", "mx3.example.org")

    with internet.engine() as engine:
        outcomes = deliver(engine, 5)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
    assert len(last.received) == 5
    assert busy.connections >= 1


def test_a_server_that_breaks_off_every_time_is_left_for_the_next(internet: Internet):
    internet.server(
        "mx1.example.org", "127.0.0.2", lambda session, stage, argument: Cut() if stage == "mail" else None
    )
    good = internet.server("mx2.example.org", "127.0.0.3")
    internet.domain("example.org", "mx1.example.org", "mx2.example.org")

    with internet.engine(connections=1) as engine:
        outcomes = deliver(engine, 20)

    # Those that met the broken one wait for their next attempt; the others got through.
    assert {outcome.verdict for outcome in outcomes.values()} <= {Verdict.DELIVERED, Verdict.DEFERRED}
    assert len(good.received) >= 15


def test_a_domain_without_mx_takes_its_mail_itself(internet: Internet):
    server = internet.server("example.org", "127.0.0.2")

    with internet.engine() as engine:
        assert one(deliver(engine, 1)).verdict == Verdict.DELIVERED

    assert len(server.received) == 1


def test_an_exchanger_that_is_an_alias_is_followed(internet: Internet):
    server = internet.server("real.example.net", "127.0.0.2")
    internet.zone.add("mx.example.org", "CNAME", "real.example.net")
    internet.domain("example.org", "mx.example.org")

    with internet.engine() as engine:
        assert one(deliver(engine, 1)).verdict == Verdict.DELIVERED

    assert len(server.received) == 1


def test_ipv6_goes_first_and_ipv4_takes_over(internet: Internet):
    server = internet.server("mx.example.org", "127.0.0.2")
    internet.zone.add("mx.example.org", "AAAA", "::ffff:7f00:4d", "::ffff:7f00:4e")
    internet.domain("example.org", "mx.example.org")

    with internet.engine() as engine:
        assert one(deliver(engine, 1)).host == "mx.example.org [127.0.0.2]"

    assert len(server.received) == 1


def test_mail_arrives_over_ipv6(internet: Internet):
    server = internet.server("mx.example.org", "::1")
    internet.zone.add("mx.example.org", "A", "127.0.0.2")
    internet.domain("example.org", "mx.example.org")

    with internet.engine(allowed_networks=("::1/128", "127.0.0.0/8")) as engine:
        assert one(deliver(engine, 1)).host == "mx.example.org [::1]"

    assert len(server.received) == 1


def test_of_fifty_servers_ten_are_tried(internet: Internet):
    for number in range(50):
        internet.zone.add(f"mx{number}.example.org", "A", f"127.0.1.{number}")
    internet.domain("example.org", *(f"mx{number}.example.org" for number in range(50)))

    with internet.engine() as engine:
        outcomes = deliver(engine, 100)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DEFERRED}
    looked_up = {name for name, kind in internet.zone.asked if kind == "A"}
    assert looked_up == {f"mx{number}.example.org" for number in range(10)}


@pytest.mark.parametrize(
    ("records", "verdict", "enhanced", "word"),
    [
        ([("example.org", "MX", (0, "."))], Verdict.FAILED, "5.1.10", "null"),
        ([], Verdict.FAILED, "5.1.2", "does not exist"),
        ([("example.org", "TXT", "nothing here")], Verdict.FAILED, "5.1.2", "neither"),
        ([("example.org", "MX", (10, "mx.nowhere.org"))], Verdict.FAILED, "5.4.4", "public"),
    ],
)
def test_where_no_mail_can_ever_go_the_message_fails_with_the_reason(
    internet: Internet, records, verdict, enhanced, word
):
    for name, kind, value in records:
        internet.zone.add(name, kind, value)

    with internet.engine() as engine:
        outcomes = deliver(engine, 5)

    assert {(outcome.verdict, outcome.enhanced) for outcome in outcomes.values()} == {(verdict, enhanced)}
    assert all(word in outcome.text and not outcome.sent for outcome in outcomes.values())


@pytest.mark.parametrize("how", ["SERVFAIL", "REFUSED", "silence"])
@pytest.mark.parametrize("question", [("example.org", "MX"), ("mx.example.org", "A")])
def test_where_the_dns_fails_the_message_waits(internet: Internet, how, question):
    internet.server("mx.example.org", "127.0.0.2")
    internet.domain("example.org", "mx.example.org")
    internet.zone.refuse(*question, how)
    internet.zone.refuse("mx.example.org", "AAAA", how)

    with internet.engine(dns_timeout=0.5) as engine:
        outcomes = deliver(engine, 50)

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DEFERRED}
    assert len([asked for asked in internet.zone.asked if asked == question]) <= 6


@pytest.mark.parametrize(
    "address", ["127.0.0.2", "10.0.0.1", "169.254.1.1", "192.168.1.1", "224.0.0.1", "::1", "::ffff:7f00:2"]
)
def test_nobodys_dns_makes_us_connect_to_a_private_network(internet: Internet, address):
    here = internet.server("elsewhere.example.net", "127.0.0.2")
    internet.zone.add("mx.example.org", "AAAA" if ":" in address else "A", address)
    internet.domain("example.org", "mx.example.org")

    with internet.engine(allowed_networks=()) as engine:
        outcome = one(deliver(engine, 1))

    assert (outcome.verdict, outcome.enhanced) == (Verdict.FAILED, "5.4.4")
    assert here.connections == 0


def test_a_domain_is_looked_up_once_for_many_messages(internet: Internet):
    internet.server("mx.example.org", "127.0.0.2")
    internet.domain("example.org", "mx.example.org")

    with internet.engine() as engine:
        deliver(engine, 100)
        deliver(engine, 100, token=2)

    assert internet.zone.asked.count(("example.org", "MX")) == 1
    assert internet.zone.asked.count(("mx.example.org", "A")) == 1


@pytest.mark.parametrize("recipient", ["a@[127.0.0.2]", "a@" + "x" * 64 + ".org"])
def test_an_address_without_a_domain_fails(internet: Internet, recipient):
    with internet.engine() as engine:
        assert one(deliver(engine, to(recipient))).verdict == Verdict.FAILED


def test_a_connection_lost_after_the_dot_is_in_doubt_and_one_lost_before_is_not(internet: Internet):
    """F-21, F-22 and F-23, as with a relay."""
    ends = {"a@example.org": Cut(), "b@example.org": KeepAndCut(), "c@example.org": Cut()}

    def script(session, stage, argument):
        if stage == ("data" if session.recipient == "c@example.org" else "dot"):
            return ends.get(session.recipient)
        return None

    internet.server("mx.example.org", "127.0.0.2", script)
    internet.domain("example.org", "mx.example.org")

    with internet.engine() as engine:
        outcomes = deliver(engine, to("a@example.org", "b@example.org", "c@example.org"))

    assert [outcomes[number].in_doubt for number in (1, 2, 3)] == [True, True, False]
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DEFERRED}


def test_what_is_stopped_while_the_dns_is_silent_was_not_begun(internet: Internet):
    internet.domain("example.org", "mx.example.org")
    internet.zone.refuse("example.org", "MX", "silence")

    with internet.engine(dns_timeout=5.0) as engine:
        timer = threading.Timer(0.3, engine.stop)
        timer.start()
        began = time.monotonic()
        outcomes = deliver(engine, 5)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.WITHHELD}
        assert time.monotonic() - began < 3


def test_nothing_is_marked_that_the_guard_does_not_let_pass(internet: Internet):
    server = internet.server("mx.example.org", "127.0.0.2")
    internet.domain("example.org", "mx.example.org")

    with internet.engine() as engine:
        outcomes = deliver(engine, 4, guard=lambda envelope: envelope.message_id % 2 == 0)
        marked = {record[2] for record in engine.journal.read() if record[0] == "M"}

    assert [outcomes[number].verdict for number in (1, 2)] == [Verdict.WITHHELD, Verdict.DELIVERED]
    assert marked == {2, 4}
    assert len(server.received) == 2
