"""What happens when sending must not go on: the guard, a stop, a callback that fails, a full disk."""

import threading
import time

import pytest

from email_service.delivery.engine import Journal, JournalUnwritable, Timeouts, replay
from email_service.delivery.envelopes import Claim
from email_service.delivery.replies import Verdict
from tests.email_service.delivery.peer import Peer, Say, Wait
from tests.email_service.delivery.senders import address, deliver, make_engine, make_envelope
from tests.email_service.delivery.test_engine import both


class Answers:
    """A guard that says yes a number of times for each message, then no."""

    def __init__(self, refused: set[int], yes: int) -> None:
        self.refused, self.yes = refused, yes
        self.asked: dict[int, int] = {}

    def __call__(self, envelope) -> bool:
        asked = self.asked[envelope.message_id] = self.asked.get(envelope.message_id, 0) + 1
        return envelope.message_id not in self.refused or asked <= self.yes


@both
@pytest.mark.parametrize("yes", [0, 1], ids=["before-mail", "before-the-dot"])
@pytest.mark.parametrize("fsync", [False, True])
def test_what_the_guard_refuses_is_not_sent_and_the_rest_is(tmp_path, features, yes, fsync):
    refused = {2, 3, 7, 10}
    with Peer(tmp_path / "log", features=features) as peer:
        with make_engine(tmp_path, peer, connections=1, fsync=fsync) as engine:
            outcomes = deliver(engine, 10, guard=Answers(refused, yes))

        withheld = {number for number, outcome in outcomes.items() if outcome.verdict == Verdict.WITHHELD}
        assert withheld == refused
        assert not any(outcomes[number].sent for number in refused)
        assert peer.recipients == sorted(address(number) for number in set(outcomes) - refused)
        assert peer.dots == 6


@both
def test_a_large_body_is_guarded_right_before_its_dot(tmp_path, features):
    allowed = threading.Event()
    allowed.set()
    mail = b"Message-ID: <1@x>\r\n\r\n" + b"y\r\n" * 2_000_000

    def script(session, stage, argument):
        if stage == "body":
            allowed.clear()

    with Peer(tmp_path / "log", script, features=features) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(
            engine, [make_envelope(1, render=lambda: mail)], guard=lambda envelope: allowed.is_set()
        )

        assert outcomes[1].verdict == Verdict.WITHHELD
        assert peer.dots == 0
        assert replay(engine.journal).in_doubt == ()


def test_a_large_body_arrives_whole(tmp_path):
    mail = b"Message-ID: <1@x>\r\n\r\n" + b".\r\n..\r\nyes\r\n" * 500_000
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, [make_envelope(number, render=lambda: mail) for number in range(4)])

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert peer.mails == [mail] * 4


@pytest.mark.parametrize("fsync", [False, True])
def test_the_mark_is_in_the_journal_before_the_dot_arrives(tmp_path, fsync):
    marked = []

    def script(session, stage, argument):
        if stage == "dot":
            (path,) = (tmp_path / "journal").glob("*.journal")
            number = int(argument[1:].partition("@")[0])
            marked.append(f'["M",1,{number},'.encode() in path.read_bytes())

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, fsync=fsync) as engine:
        deliver(engine, 50)

    assert marked == [True] * 50


def test_a_guard_that_breaks_has_not_said_yes(tmp_path):
    def break_down(envelope):
        raise RuntimeError("no idea")

    outcomes = []
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        with pytest.raises(RuntimeError, match="no idea"):
            engine.deliver(
                Claim(1, (1, 2)),
                [make_envelope(1), make_envelope(2)],
                guard=break_down,
                on_outcomes=outcomes.extend,
            )

        assert {outcome.verdict for outcome in outcomes} == {Verdict.WITHHELD}
        assert len(outcomes) == 2
        assert peer.received == []


def test_a_callback_that_fails_stops_sending_and_loses_no_reply(tmp_path):
    told = []

    def tell(outcomes):
        told.extend(outcomes)
        if len(told) > 20:
            raise ConnectionError("the database is gone")

    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer, report_size=10) as engine:
        envelopes = (make_envelope(number) for number in range(2000))
        with pytest.raises(ConnectionError, match="database"):
            engine.deliver(
                Claim(9, tuple(range(2000))), envelopes, guard=lambda envelope: True, on_outcomes=tell
            )
        sent = len(peer.received)
        time.sleep(0.1)

        assert len(peer.received) == sent < 2000
        found = replay(engine.journal)
        assert sorted(address(outcome.message_id) for outcome in found.replies) == peer.recipients
        assert found.in_doubt == ()
        assert len(found.untouched) == 2000 - sent
        engine.journal.close_batch(9)
        assert replay(engine.journal).replies == ()
        # And the engine is good for the next batch.
        assert deliver(engine, 3, token=10)[1].verdict == Verdict.DELIVERED


def test_answers_to_withdrawn_commands_are_not_taken_for_those_of_the_next_batch(tmp_path):
    """The server refuses, late, a recipient of the stopped batch: nobody else may get that answer."""
    all_are_handed_over, second_is_under_way = threading.Event(), threading.Event()

    def envelopes():
        yield from (make_envelope(number) for number in (1, 2, 3, 4))
        all_are_handed_over.set()

    def fail(outcomes):
        second_is_under_way.wait(10)
        raise ConnectionError("the database is gone")

    def script(session, stage, argument):
        if stage == "dot" and argument == address(1):
            # Else the first outcome may come before the second message is handed over.
            all_are_handed_over.wait(10)
        if stage == "dot" and argument == address(2):
            second_is_under_way.set()
            return Wait(0.5)
        return Say("550 5.1.1 no such user") if stage == "rcpt" and address(3) in argument else None

    with Peer(tmp_path / "log", script) as peer:
        with make_engine(tmp_path, peer, connections=1, report_size=1) as engine:
            with pytest.raises(ConnectionError):
                engine.deliver(
                    Claim(1, (1, 2, 3, 4)), envelopes(), guard=lambda envelope: True, on_outcomes=fail
                )
            outcomes = deliver(engine, [make_envelope(number) for number in (5, 6, 7)], token=2)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert peer.recipients == [address(number) for number in (1, 2, 5, 6, 7)]


def test_envelopes_that_fail_come_out_after_bodies_in_flight(tmp_path):
    def envelopes():
        yield make_envelope(1)
        raise LookupError("no more")

    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        with pytest.raises(LookupError):
            engine.deliver(
                Claim(1, (1, 2)), envelopes(), guard=lambda envelope: True, on_outcomes=lambda outcomes: None
            )
        found = replay(engine.journal)

        assert len(found.replies) + len(found.untouched) == 2
        assert len(found.replies) == len(peer.received)


def test_nothing_is_sent_that_the_journal_cannot_hold(tmp_path, monkeypatch):
    marks = []
    mark = Journal.mark

    def fail_later(self, *arguments, **named):
        marks.append(1)
        if len(marks) > 5:
            raise JournalUnwritable("The disk is full.")
        mark(self, *arguments, **named)

    # The one seam to a full disk while the peer writes its own file.
    monkeypatch.setattr(Journal, "mark", fail_later)
    outcomes = []
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        with pytest.raises(JournalUnwritable):
            engine.deliver(
                Claim(1, tuple(range(100))),
                [make_envelope(number) for number in range(100)],
                guard=lambda envelope: True,
                on_outcomes=outcomes.extend,
            )

        assert len(peer.received) == peer.dots == 5
        verdicts = [outcome.verdict for outcome in outcomes]
        assert verdicts.count(Verdict.DELIVERED) == 5
        assert verdicts.count(Verdict.WITHHELD) == 95


def in_thread(function) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def test_a_stop_gives_back_what_was_not_begun_at_once_and_waits_for_the_rest(tmp_path):
    outcomes, times = [], {}

    def tell(some):
        outcomes.extend(some)
        times.update({outcome.message_id: time.monotonic() for outcome in some})

    def script(session, stage, argument):
        return Wait(1.0) if stage == "dot" else None

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer) as engine:
        ids = tuple(range(50))
        envelopes = [make_envelope(number) for number in ids]
        thread = in_thread(
            lambda: engine.deliver(Claim(1, ids), envelopes, guard=lambda envelope: True, on_outcomes=tell)
        )
        time.sleep(0.5)
        stopped_at = time.monotonic()
        not_begun = engine.close(grace=5)
        thread.join()

        delivered = {outcome.message_id for outcome in outcomes if outcome.verdict == Verdict.DELIVERED}
        assert sorted(outcome.message_id for outcome in outcomes) == list(ids)
        assert 1 <= len(delivered) == len(peer.received) <= 3
        assert set(not_begun) == set(ids) - delivered
        assert min(times[number] for number in not_begun) - stopped_at < 0.4
        assert replay(engine.journal).untouched == ()


def test_a_body_in_flight_is_in_doubt_when_the_grace_is_over(tmp_path):
    outcomes = []

    def script(session, stage, argument):
        return Wait(20) if stage == "dot" else None

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer) as engine:
        thread = in_thread(
            lambda: engine.deliver(
                Claim(1, (1,)),
                [make_envelope(1)],
                guard=lambda envelope: True,
                on_outcomes=outcomes.extend,
            )
        )
        time.sleep(0.4)
        assert engine.close(grace=0.3) == ()
        thread.join(5)

        assert [outcome.in_doubt for outcome in outcomes] == [True]
        assert peer.received == []


def test_after_a_stop_everything_is_withheld(tmp_path):
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        engine.stop()
        outcomes = deliver(engine, 5)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.WITHHELD}
        assert peer.connections == 0


def test_a_server_that_will_not_open_more_connections_serves_those_it_has(tmp_path):
    def script(session, stage, argument):
        return Say("421 4.7.0 too many connections") if stage == "banner" and session.number > 1 else None

    timeouts = Timeouts(quit=0.2)
    with Peer(tmp_path / "log", script) as peer:
        with make_engine(tmp_path, peer, timeouts=timeouts, connections=4) as engine:
            outcomes = deliver(engine, 300)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
        assert len(peer.received) == 300
