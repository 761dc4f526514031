import pytest

from email_service.delivery.engine import Timeouts, replay
from email_service.delivery.replies import Verdict
from tests.email_service.delivery.peer import Cut, KeepAndCut, Peer, Say, Wait
from tests.email_service.delivery.senders import address, deliver, make_engine, make_envelope

PIPELINING = ("PIPELINING", "SMTPUTF8")
PLAIN = ("SMTPUTF8",)
both = pytest.mark.parametrize("features", [PIPELINING, PLAIN], ids=["pipelining", "one-by-one"])


def only_for(message_id, stage, action):
    """Play one stage differently for one recipient."""

    def script(session, at, argument):
        return action if at == stage and address(message_id) in argument else None

    return script


@both
def test_every_message_arrives_once_as_it_was_composed(tmp_path, features):
    with Peer(tmp_path / "log", features=features) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, 100)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert all(
            outcome.sent and not outcome.in_doubt and outcome.code == 250 for outcome in outcomes.values()
        )
        assert all(outcome.started_at <= outcome.finished_at for outcome in outcomes.values())
        assert peer.recipients == sorted(address(number) for number in range(1, 101))
        assert b"Message-ID: <7@x>\r\n\r\n.dotted\r\n..twice\r\n" in peer.mails
        assert set(peer.senders) == {"b+token@bounce.example.com"}
        assert peer.connections <= 3


def test_the_next_commands_travel_with_the_body_where_pipelining_is_offered(tmp_path):
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer, connections=1) as engine:
        deliver(engine, 20)

        assert peer.connections == 1
        assert peer.commands[0] == "EHLO sender.example.com"
        assert peer.commands.count("DATA") == 20
        assert "RSET" not in peer.commands


def test_connections_are_kept_between_calls_and_closed_politely(tmp_path):
    with Peer(tmp_path / "log") as peer:
        with make_engine(tmp_path, peer, connections=1) as engine:
            deliver(engine, 3, token=1)
            deliver(engine, 3, token=2)
            assert peer.connections == 1

        assert peer.commands[-1] == "QUIT"


@both
def test_a_refused_recipient_does_not_disturb_the_others(tmp_path, features):
    script = only_for(5, "rcpt", Say("550 5.1.1 no such user"))
    with Peer(tmp_path / "log", script, features=features) as peer:
        with make_engine(tmp_path, peer, connections=1) as engine:
            outcomes = deliver(engine, 10)

        assert outcomes.pop(5).verdict == Verdict.FAILED
        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert address(5) not in peer.recipients
        assert peer.connections == 1


@both
@pytest.mark.parametrize(
    ("stage", "line", "verdict", "sent"),
    [
        ("mail", "451 4.3.0 later", Verdict.DEFERRED, False),
        ("rcpt", "451 4.7.1 greylisted", Verdict.DEFERRED, False),
        ("rcpt", "550 5.7.1 not from you", Verdict.REJECTED, False),
        ("data", "451 4.3.0 later", Verdict.DEFERRED, False),
        ("data", "554 5.7.1 no", Verdict.REJECTED, False),
        ("dot", "550 Ip frequency limited", Verdict.THROTTLED, True),
        ("dot", "552 5.2.2 mailbox full", Verdict.FAILED, True),
        ("dot", "451 4.7.1 greylisted", Verdict.DEFERRED, True),
    ],
)
def test_a_reply_at_any_stage_is_the_outcome(tmp_path, *, features, stage, line, verdict, sent):
    def script(session, at, argument):
        return Say(line) if at == stage else None

    with Peer(tmp_path / "log", script, features=features) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, 4)

        assert {outcome.verdict for outcome in outcomes.values()} == {verdict}
        assert {outcome.sent for outcome in outcomes.values()} == {sent}
        assert all(outcome.code == int(line[:3]) and not outcome.in_doubt for outcome in outcomes.values())
        assert peer.received == []


def test_a_server_that_wants_a_body_for_nobody_gets_none(tmp_path):
    def script(session, stage, argument):
        refused = {"rcpt": Say("550 5.1.1 no such user"), "late-data": Say("354 go on")}
        return refused.get(stage)

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, 2)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.FAILED}
        assert peer.dots == 0


@both
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "body"])
def test_a_connection_cut_before_the_dot_is_certainly_not_sent(tmp_path, features, stage):
    def script(session, at, argument):
        return Cut() if at == stage else None

    with Peer(tmp_path / "log", script, features=features) as peer, make_engine(tmp_path, peer) as engine:
        big = b"Message-ID: <1@x>\r\n\r\n" + b"x" * 70 + b"\r\n" * 2
        outcomes = deliver(engine, [make_envelope(1, render=lambda: big + b"y\r\n" * 2_000_000)])

        assert outcomes[1].verdict == Verdict.DEFERRED
        assert not outcomes[1].sent
        assert not outcomes[1].in_doubt
        assert peer.received == []
        assert replay(engine.journal).in_doubt == ()


@both
@pytest.mark.parametrize(("action", "copies"), [(Cut(), 0), (KeepAndCut(), 1)], ids=["not-kept", "kept"])
def test_a_connection_cut_after_the_dot_is_in_doubt(tmp_path, features, action, copies):
    def script(session, stage, argument):
        return action if stage == "dot" and argument == address(3) else None

    with Peer(tmp_path / "log", script, features=features) as peer:
        with make_engine(tmp_path, peer, connections=1) as engine:
            outcomes = deliver(engine, 6)

        doubtful = outcomes.pop(3)
        assert doubtful.in_doubt
        assert doubtful.sent
        assert doubtful.verdict == Verdict.DEFERRED
        assert peer.recipients.count(address(3)) == copies
        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert all(peer.recipients.count(address(number)) == 1 for number in outcomes)


def test_a_reply_that_never_comes_is_in_doubt_after_its_time(tmp_path):
    def script(session, stage, argument):
        return Wait(30) if stage == "dot" else None

    timeouts = Timeouts(dot=0.3, quit=0.2)
    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, timeouts=timeouts) as engine:
        outcomes = deliver(engine, 1)

        assert outcomes[1].in_doubt
        assert "too long" in outcomes[1].text


def test_a_slow_reply_is_waited_for(tmp_path):
    def script(session, stage, argument):
        return Wait(0.6) if stage == "dot" else None

    timeouts = Timeouts(mail=0.3, rcpt=0.3, data=0.3, block=0.3, dot=5.0, quit=0.2)
    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, timeouts=timeouts) as engine:
        outcomes = deliver(engine, 2)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert len(peer.received) == 2


@pytest.mark.parametrize("stage", ["banner", "ehlo", "mail", "rcpt", "data"])
def test_a_server_that_stops_answering_defers_after_its_time(tmp_path, stage):
    def script(session, at, argument):
        return Wait(30) if at == stage else None

    timeouts = Timeouts(greeting=0.3, hello=0.3, mail=0.3, rcpt=0.3, data=0.3, quit=0.1)
    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, timeouts=timeouts) as engine:
        outcomes = deliver(engine, 2)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DEFERRED}
        assert not any(outcome.sent for outcome in outcomes.values())


@both
def test_greylisted_once_accepted_later(tmp_path, features):
    seen = set()

    def script(session, stage, argument):
        if stage != "rcpt" or argument in seen:
            return None
        seen.add(argument)
        return Say("451 4.7.1 Greylisted, come back")

    with Peer(tmp_path / "log", script, features=features) as peer, make_engine(tmp_path, peer) as engine:
        first = deliver(engine, 5, token=1)
        second = deliver(engine, [make_envelope(number, attempt=2) for number in first], token=2)

        assert {outcome.verdict for outcome in first.values()} == {Verdict.DEFERRED}
        assert {outcome.verdict for outcome in second.values()} == {Verdict.DELIVERED}
        assert {outcome.attempt for outcome in second.values()} == {2}
        assert len(peer.received) == 5


@both
@pytest.mark.parametrize("stage", ["banner", "ehlo", "mail", "rcpt", "data", "dot"])
def test_a_server_that_closes_defers_everything_and_is_left_alone(tmp_path, features, stage):
    def script(session, at, argument):
        return Say("421 4.3.2 shutting down") if at == stage else None

    with Peer(tmp_path / "log", script, features=features) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, 200)

        assert {outcome.verdict for outcome in outcomes.values()} <= {Verdict.DEFERRED, Verdict.THROTTLED}
        assert not any(outcome.in_doubt for outcome in outcomes.values())
        assert peer.connections < 10
        assert peer.received == []


def test_one_closed_connection_costs_only_the_message_it_was_said_to(tmp_path):
    def script(session, stage, argument):
        return Say("421 4.3.0 enough for one connection") if stage == "mail" and session.mails == 5 else None

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, connections=1) as engine:
        outcomes = deliver(engine, 30)

        verdicts = [outcome.verdict for outcome in outcomes.values()]
        assert verdicts.count(Verdict.DELIVERED) == len(peer.received) >= 25


def test_a_connection_the_server_closed_between_calls_costs_nothing(tmp_path):
    def script(session, stage, argument):
        return Cut() if stage == "mail" and session.mails == 2 else None

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, connections=1) as engine:
        first = deliver(engine, 2, token=1)
        second = deliver(engine, [make_envelope(number) for number in (3, 4)], token=2)

        assert {outcome.verdict for outcome in (first | second).values()} == {Verdict.DELIVERED}
        assert peer.connections == 2


def test_a_mail_is_made_when_a_connection_wants_it_and_not_before(tmp_path):
    made: list[int] = []

    def renders(number: int):
        def render() -> bytes:
            made.append(number)
            return b"Message-ID: <%d@x>\r\n\r\nHello\r\n" % number

        return render

    def script(session, stage, argument):
        if stage == "dot" and address(1) in session.recipient:
            seen.append(len(made))
            return Wait(0.3)
        return None

    seen: list[int] = []
    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, connections=1) as engine:
        deliver(engine, [make_envelope(number, render=renders(number)) for number in range(1, 51)])

    assert seen == [2], "the one in hand, and the next, whose commands go with its dot"
    assert made == list(range(1, 51)), "each of them once"
