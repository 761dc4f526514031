"""What engine tests start from: a journal, an engine on a peer, one call that delivers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from email_service.delivery.engine import Engine, Journal, Limits, Timeouts
from email_service.delivery.envelopes import Claim, Envelope, Outcome
from email_service.delivery.routing import Relay
from tests.email_service.delivery.peer import Peer

LIMITS = Limits(connections=3, report_every=0.1, grace=5.0)


def address(message_id: int) -> str:
    return f"u{message_id}@example.org"


def make_envelope(message_id: int, **overrides) -> Envelope:
    fields = {
        "message_id": message_id,
        "attempt": 1,
        "sender": "b+token@bounce.example.com",
        "recipient": address(message_id),
        "render": lambda: b"Message-ID: <%d@x>\r\n\r\n.dotted\r\n..twice\r\n" % message_id,
    }
    return Envelope(**{**fields, **overrides})


@contextmanager
def make_engine(
    folder: Path, peer: Peer | int, *, timeouts: Timeouts | None = None, fsync=False, **overrides
) -> Iterator[Engine]:
    """An engine that is closed in the end; overrides go to the relay or the limits."""
    journal = Journal.open(folder / "journal", "worker", fsync=fsync)
    relay_fields = {
        name: overrides.pop(name) for name in list(overrides) if name in Relay.__dataclass_fields__
    }
    connections = relay_fields.pop("connections", 3)
    relay = Relay("127.0.0.1", peer if isinstance(peer, int) else peer.port, **relay_fields)
    limits = replace(LIMITS, connections=connections, timeouts=timeouts or Timeouts(quit=0.2), **overrides)
    engine = Engine(journal, relay, limits, hostname="sender.example.com")
    try:
        yield engine
    finally:
        engine.close(grace=1.0)
        journal.close()


def deliver(
    engine: Engine,
    envelopes: Iterable[Envelope] | int,
    *,
    token: int = 1,
    guard: Callable[[Envelope], bool] = lambda envelope: True,
) -> dict[int, Outcome]:
    """Deliver, and answer each message's one outcome."""
    if isinstance(envelopes, int):
        envelopes = [make_envelope(number) for number in range(1, envelopes + 1)]
    envelopes = list(envelopes)
    outcomes: list[Outcome] = []
    claim = Claim(token, tuple(envelope.message_id for envelope in envelopes))
    engine.deliver(claim, envelopes, guard=guard, on_outcomes=outcomes.extend)
    assert sorted(outcome.message_id for outcome in outcomes) == sorted(claim.message_ids)
    assert {outcome.claim_token for outcome in outcomes} <= {token}
    return {outcome.message_id: outcome for outcome in outcomes}
