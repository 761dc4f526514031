"""Sending directly: one destination's pace, silence or greylisting is no matter of the others (F-26 to F-30)."""

import time

import pytest

from email_service.delivery.engine import Timeouts
from email_service.delivery.replies import Verdict
from tests.email_service.delivery.internet import Internet
from tests.email_service.delivery.peer import Say, Wait
from tests.email_service.delivery.senders import deliver, make_envelope


def mixed(many: int, *domains: str) -> list:
    return [
        make_envelope(number, recipient=f"u{number}@{domains[number % len(domains)]}")
        for number in range(1, many + 1)
    ]


def of(outcomes: dict, envelopes: list, domain: str) -> set[Verdict]:
    return {
        outcomes[envelope.message_id].verdict
        for envelope in envelopes
        if envelope.recipient.endswith(f"@{domain}")
    }


def at(stage: str, action):
    return lambda session, here, argument: action if here == stage else None


@pytest.mark.parametrize("stage", ["banner", "ehlo"])
def test_a_tarpit_holds_up_nobody_else_and_takes_its_mail_at_the_next_attempt(internet: Internet, stage):
    internet.server("mx.slow.example", "127.0.0.2", at(stage, Wait(2.0)))
    fast = internet.server("mx.fast.example", "127.0.0.3")
    internet.domain("slow.example", "mx.slow.example")
    internet.domain("fast.example", "mx.fast.example")
    envelopes = mixed(200, "slow.example", "fast.example")
    told: dict[str, float] = {}

    with internet.engine(patience=0.6) as engine:
        began = time.monotonic()
        outcomes = deliver(engine, envelopes)
        told["all"] = time.monotonic() - began

        assert of(outcomes, envelopes, "fast.example") == {Verdict.DELIVERED}
        assert of(outcomes, envelopes, "slow.example") == {Verdict.DEFERRED}
        assert told["all"] < 1.8
        assert len(fast.received) == 100

        # Meanwhile nothing of it is even composed; when the server has come round, its mail goes at once.
        again = [make_envelope(900, recipient="a@slow.example", render=lambda: pytest.fail("was composed"))]
        assert deliver(engine, again, token=2)[900].verdict == Verdict.DEFERRED
        time.sleep(2.0)
        began = time.monotonic()
        assert {
            outcome.verdict for outcome in deliver(engine, mixed(5, "slow.example"), token=3).values()
        } == {Verdict.DELIVERED}
        assert time.monotonic() - began < 0.5


def test_a_tarpit_at_a_command_costs_its_own_message_only(internet: Internet):
    internet.server("mx.slow.example", "127.0.0.2", at("rcpt", Wait(20.0)))
    internet.server("mx.fast.example", "127.0.0.3")
    internet.domain("slow.example", "mx.slow.example")
    internet.domain("fast.example", "mx.fast.example")
    envelopes = mixed(60, "slow.example", "fast.example")

    with internet.engine(patience=0.5, longest_wait=1.0) as engine:
        began = time.monotonic()
        outcomes = deliver(engine, envelopes)

    assert of(outcomes, envelopes, "fast.example") == {Verdict.DELIVERED}
    assert of(outcomes, envelopes, "slow.example") == {Verdict.DEFERRED}
    assert time.monotonic() - began < 4


def test_a_slow_but_steady_destination_gives_back_what_its_turn_does_not_reach(internet: Internet):
    server = internet.server("mx.slow.example", "127.0.0.2", at("dot", Wait(0.2)))
    internet.domain("slow.example", "mx.slow.example")

    with internet.engine(connections=1, patience=1.0, longest_wait=1.0) as engine:
        outcomes = deliver(engine, mixed(60, "slow.example"))

    verdicts = [outcome.verdict for outcome in outcomes.values()]
    assert set(verdicts) == {Verdict.DELIVERED, Verdict.WITHHELD}
    assert verdicts.count(Verdict.DELIVERED) == len(server.received) >= 4


def test_a_throttle_slows_its_destination_down_and_is_no_failure(internet: Internet):
    """F-29: QQ's 550 that is none."""
    seen = []

    def script(session, stage, argument):
        if stage != "rcpt":
            return None
        seen.append(time.monotonic())
        return (
            Say("550 Domain frequency limited [AAA]. http://service.mail.qq.com/") if len(seen) == 5 else None
        )

    server = internet.server("mx.slow.example", "127.0.0.2", script)
    internet.server("mx.fast.example", "127.0.0.3")
    internet.domain("slow.example", "mx.slow.example")
    internet.domain("fast.example", "mx.fast.example")
    envelopes = mixed(60, "slow.example", "fast.example")

    with internet.engine(connections=1, patience=0.8) as engine:
        began = time.monotonic()
        outcomes = deliver(engine, envelopes)
        took = time.monotonic() - began

        assert of(outcomes, envelopes, "fast.example") == {Verdict.DELIVERED}
        assert of(outcomes, envelopes, "slow.example") == {Verdict.DELIVERED, Verdict.THROTTLED}
        # The pause of five seconds is longer than the rest of the batch may be held up.
        assert took < 3
        assert len(server.received) <= 6
        assert deliver(engine, mixed(3, "slow.example"), token=2)[1].verdict == Verdict.THROTTLED
        assert deliver(engine, mixed(3, "fast.example"), token=3)[1].verdict == Verdict.DELIVERED


def test_a_short_pause_is_waited_for(internet: Internet, monkeypatch):
    monkeypatch.setattr("email_service.delivery.engine.tempo.FIRST_PAUSE", 0.5)
    times = []

    def script(session, stage, argument):
        if stage != "mail":
            return None
        times.append(time.monotonic())
        return Say("450 4.7.0 too many messages") if len(times) == 3 else None

    server = internet.server("mx.slow.example", "127.0.0.2", script, features=())
    internet.domain("slow.example", "mx.slow.example")

    with internet.engine(connections=1, patience=3.0) as engine:
        outcomes = deliver(engine, mixed(10, "slow.example"))

    verdicts = [outcome.verdict for outcome in outcomes.values()]
    assert verdicts.count(Verdict.THROTTLED) == 1
    assert verdicts.count(Verdict.DELIVERED) == 9 == len(server.received)
    assert times[3] - times[2] >= 0.45


@pytest.mark.parametrize("stage", ["banner", "mail", "dot"])
def test_421_at_any_moment_defers_and_opens_the_circuit(internet: Internet, stage):
    server = internet.server("mx.slow.example", "127.0.0.2", at(stage, Say("421 4.3.2 going down")))
    internet.server("mx.fast.example", "127.0.0.3")
    internet.domain("slow.example", "mx.slow.example")
    internet.domain("fast.example", "mx.fast.example")
    envelopes = mixed(100, "slow.example", "fast.example")

    with internet.engine(patience=0.5) as engine:
        outcomes = deliver(engine, envelopes)
        connections = server.connections
        deliver(engine, mixed(20, "slow.example"), token=2)

    assert of(outcomes, envelopes, "fast.example") == {Verdict.DELIVERED}
    assert of(outcomes, envelopes, "slow.example") <= {Verdict.DEFERRED, Verdict.THROTTLED}
    assert not any(outcome.in_doubt for outcome in outcomes.values())
    assert server.connections == connections <= 6


def test_greylisted_mail_is_deferred_and_taken_later(internet: Internet):
    met = set()

    def script(session, stage, argument):
        if stage == "rcpt" and argument not in met:
            met.add(argument)
            return Say("451 4.7.1 Greylisted, come back later")
        return None

    server = internet.server("mx.example.org", "127.0.0.2", script)
    internet.domain("example.org", "mx.example.org")

    with internet.engine() as engine:
        first = deliver(engine, 20)
        second = deliver(engine, 20, token=2)

    assert {outcome.verdict for outcome in first.values()} == {Verdict.DEFERRED}
    assert {outcome.verdict for outcome in second.values()} == {Verdict.DELIVERED}
    assert len(server.received) == 20


def test_refusals_are_the_recipients_own(internet: Internet):
    """F-29: one refused recipient says nothing about the others."""
    replies = {
        "u1": "550 5.1.1 no such user",
        "u2": "552 5.2.2 mailbox full",
        "u3": "554 5.7.1 policy",
    }

    def script(session, stage, argument):
        who = argument[9:].partition("@")[0]
        return Say(replies[who]) if stage == "rcpt" and who in replies else None

    internet.server("mx.example.org", "127.0.0.2", script)
    internet.domain("example.org", "mx.example.org")

    with internet.engine() as engine:
        outcomes = deliver(engine, 5)

    assert [outcomes[number].verdict for number in range(1, 6)] == [
        Verdict.FAILED,
        Verdict.FAILED,
        Verdict.REJECTED,
        Verdict.DELIVERED,
        Verdict.DELIVERED,
    ]


def test_a_late_reply_to_the_dot_is_waited_for(internet: Internet):
    """F-24: patience is for what has not begun; what may have been accepted is waited for to the end."""
    server = internet.server("mx.example.org", "127.0.0.2", at("dot", Wait(1.5)))
    internet.domain("example.org", "mx.example.org")

    with internet.engine(patience=0.3, longest_wait=0.5, timeouts=Timeouts(quit=0.2)) as engine:
        outcomes = deliver(engine, 3)

    assert outcomes[1].verdict == Verdict.DELIVERED
    assert not any(outcome.in_doubt for outcome in outcomes.values())
    assert len(server.received) == len(set(server.received))


def test_connections_are_reused_between_batches_and_never_more_than_the_cap(internet: Internet):
    server = internet.server("mx.example.org", "127.0.0.2")
    internet.domain("example.org", "mx.example.org")
    internet.domain("example.net", "mx.example.org")

    with internet.engine(connections=2) as engine:
        deliver(engine, mixed(100, "example.org", "example.net"))
        deliver(engine, mixed(100, "example.org", "example.net"), token=2)

    assert len(server.received) == 200
    assert server.connections <= 2


def test_many_destinations_share_the_connections_a_worker_has(internet: Internet):
    names = [f"d{number}.example" for number in range(12)]
    servers = []
    for number, name in enumerate(names):
        servers.append(internet.server(f"mx.{name}", f"127.0.0.{number + 2}"))
        internet.domain(name, f"mx.{name}")

    with internet.engine(all_connections=4, patience=10.0) as engine:
        outcomes = deliver(engine, mixed(24, *names))

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
    assert all(server.connections >= 1 for server in servers)
