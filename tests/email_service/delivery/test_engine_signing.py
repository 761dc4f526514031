"""Mails for a relay are signed before their turn, in other threads; nothing else about them changes."""

import threading
import time

from email_service.delivery.engine import replay
from email_service.delivery.envelopes import Claim
from email_service.delivery.replies import Verdict
from tests.email_service.delivery.peer import Peer, Wait
from tests.email_service.delivery.senders import address, deliver, make_engine, make_envelope


def signed_envelope(number: int, sign):
    return make_envelope(number, sign=sign)


def test_what_arrives_is_signed_once_and_in_another_thread(tmp_path):
    threads = set()

    def sign(mail: bytes) -> bytes:
        threads.add(threading.current_thread().name)
        return b"DKIM-Signature: x\r\n" + mail

    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, [signed_envelope(number, sign) for number in range(1, 101)])

    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.DELIVERED}
    assert sorted(mail.count(b"DKIM-Signature") for mail in peer.mails) == [1] * 100
    assert any(name.startswith("signing") for name in threads)


def test_a_signature_that_fails_defers_its_message_and_no_other(tmp_path):
    def sign(mail: bytes) -> bytes:
        if b"<7@x>" in mail:
            raise RuntimeError("no key")
        return mail

    with Peer(tmp_path / "log") as peer, make_engine(tmp_path, peer) as engine:
        outcomes = deliver(engine, [signed_envelope(number, sign) for number in range(1, 21)])

    assert {number for number, outcome in outcomes.items() if outcome.verdict is Verdict.DEFERRED} == {7}
    assert "no key" in outcomes[7].text
    assert address(7) not in peer.recipients


def test_no_more_is_signed_ahead_than_the_connections_want(tmp_path):
    signed: list[bytes] = []

    def sign(mail: bytes) -> bytes:
        signed.append(mail)
        return mail

    seen: list[int] = []

    def script(session, stage, argument):
        if stage == "dot" and not seen:
            time.sleep(0.2)
            seen.append(len(signed))

    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, connections=1) as engine:
        deliver(engine, [signed_envelope(number, sign) for number in range(1, 51)])

    assert seen[0] <= 5
    assert len(signed) == 50


def test_a_stop_gives_back_what_was_signed_and_not_begun(tmp_path):
    def sign(mail: bytes) -> bytes:
        time.sleep(0.05)
        return mail

    def script(session, stage, argument):
        return Wait(0.5) if stage == "dot" else None

    ids = tuple(range(1, 41))
    outcomes = []
    with Peer(tmp_path / "log", script) as peer, make_engine(tmp_path, peer, connections=2) as engine:
        delivery = engine.begin(
            Claim(1, ids),
            [signed_envelope(number, sign) for number in ids],
            guard=lambda envelope: True,
            on_outcomes=outcomes.extend,
        )
        time.sleep(0.3)
        engine.stop(5.0)
        delivery.finish()
        assert replay(engine.journal).in_doubt == ()

    delivered = {outcome.message_id for outcome in outcomes if outcome.verdict is Verdict.DELIVERED}
    withheld = {outcome.message_id for outcome in outcomes if outcome.verdict is Verdict.WITHHELD}
    assert delivered | withheld == set(ids)
    assert sorted(peer.recipients) == sorted(map(address, delivered))
    assert withheld
