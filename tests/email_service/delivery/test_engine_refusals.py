import threading
import time

import pytest

from email_service.delivery.envelopes import Claim
from email_service.delivery.replies import Verdict
from tests.email_service.delivery.peer import Peer, Say
from tests.email_service.delivery.senders import deliver, make_engine, make_envelope


def test_a_relay_that_is_not_there_defers_all_at_once_and_is_tried_again_later(tmp_path):
    with Peer(tmp_path / "log") as gone:
        port = gone.port
    rendered = []

    def compose():
        rendered.append(1)
        return b"x\r\n"

    with make_engine(tmp_path, port) as engine:
        outcomes = deliver(engine, [make_envelope(number, render=compose) for number in range(500)])
        again = deliver(engine, 3, token=2)

        assert {outcome.verdict for outcome in (outcomes | again).values()} == {Verdict.DEFERRED}
        assert all(outcome.text.startswith("No connection to 127.0.0.1") for outcome in outcomes.values())
        assert len(rendered) < 200

        with Peer(tmp_path / "log", port=port) as peer:
            time.sleep(2.1)
            third = deliver(engine, 3, token=3)
            assert {outcome.verdict for outcome in third.values()} == {Verdict.DELIVERED}
            assert len(peer.received) == 3


def test_a_server_that_talks_nonsense_is_not_believed(tmp_path):
    def script(session, stage, argument):
        return {"mail": Say("hello there")}.get(stage)

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, 2)

        assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DEFERRED}


def test_a_reply_in_the_middle_of_a_body_refuses_the_message(tmp_path):
    def script(session, stage, argument):
        return Say("552 5.3.4 too big after all") if stage == "body" else None

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer) as engine:
        mail = b"Message-ID: <1@x>\r\n\r\n" + b"y\r\n" * 3_000_000
        outcomes = deliver(engine, [make_envelope(1, render=lambda: mail)])

        # Either the reply was read before the dot, or it was taken for the answer to the dot.
        assert outcomes[1].verdict == Verdict.FAILED
        assert not outcomes[1].in_doubt
        assert outcomes[1].code == 552


def test_a_message_larger_than_the_server_takes_fails_before_any_command(tmp_path):
    features = ("PIPELINING", "SIZE 1000")
    with Peer(tmp_path / "log", features=features) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, [make_envelope(1, render=lambda: b"x" * 1001), make_envelope(2)])

        assert outcomes[1].verdict == Verdict.FAILED
        assert "1000" in outcomes[1].text
        assert outcomes[2].verdict == Verdict.DELIVERED
        assert [command for command in peer.commands if command.startswith("MAIL")] == [
            f"MAIL FROM:<b+token@bounce.example.com> SIZE={len(make_envelope(2).render())}"
        ]


def test_an_address_that_needs_smtputf8_fails_where_it_is_not_offered(tmp_path):
    envelopes = [make_envelope(1, recipient="用户@例子.广告"), make_envelope(2, recipient="ann@例子.广告")]
    with Peer(tmp_path / "log", features=("PIPELINING",)) as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, envelopes)

        assert outcomes[1].verdict == Verdict.FAILED
        assert "SMTPUTF8" in outcomes[1].text
        assert peer.recipients == ["ann@xn--fsqu00a.xn--4rr70v"]


def test_an_address_that_needs_smtputf8_is_sent_where_it_is_offered(tmp_path):
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        deliver(engine, [make_envelope(1, recipient="用户@例子.广告")])

        assert peer.recipients == ["用户@xn--fsqu00a.xn--4rr70v"]
        assert any(command.endswith(" SMTPUTF8") for command in peer.commands)


@pytest.mark.parametrize("recipient", ["a@b.c>\r\nDATA", "a b@c.d", "nobody", "a@b.c\nRSET"])
def test_an_address_that_could_leave_its_command_fails_alone(tmp_path, recipient):
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, [make_envelope(1, recipient=recipient), make_envelope(2)])

        assert outcomes[1].verdict == Verdict.FAILED
        assert outcomes[2].verdict == Verdict.DELIVERED
        assert len([command for command in peer.commands if command.startswith("RCPT")]) == 1


def test_a_mail_that_cannot_be_composed_does_not_stop_the_rest(tmp_path):
    def refuse():
        raise ValueError("no values")

    def break_down():
        raise KeyError("surprise")

    envelopes = [make_envelope(1, render=refuse), make_envelope(2, render=break_down), make_envelope(3)]
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, envelopes)

        assert [outcomes[number].verdict for number in (1, 2, 3)] == [
            Verdict.FAILED,
            Verdict.DEFERRED,
            Verdict.DELIVERED,
        ]
        assert "no values" in outcomes[1].text


def test_outcomes_are_told_in_the_callers_thread_in_lists_of_limited_size(tmp_path):
    lists, threads = [], set()

    def tell(outcomes):
        lists.append(len(outcomes))
        threads.add(threading.current_thread())

    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer, report_size=10) as engine:
        envelopes = [make_envelope(number) for number in range(95)]
        engine.deliver(Claim(1, tuple(range(95))), envelopes, guard=lambda envelope: True, on_outcomes=tell)

    assert sum(lists) == 95
    assert max(lists) <= 10
    assert threads == {threading.current_thread()}


def test_a_message_without_an_envelope_is_withheld_and_one_too_many_is_refused(tmp_path):
    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        outcomes = []
        engine.deliver(
            Claim(1, (1, 2)), [make_envelope(1)], guard=lambda envelope: True, on_outcomes=outcomes.extend
        )
        assert {outcome.message_id: outcome.verdict for outcome in outcomes} == {
            1: Verdict.DELIVERED,
            2: Verdict.WITHHELD,
        }
        with pytest.raises(ValueError, match="not in the claim"):
            engine.deliver(
                Claim(2, (3,)), [make_envelope(4)], guard=lambda envelope: True, on_outcomes=outcomes.extend
            )
