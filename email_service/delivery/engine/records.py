"""The journal's lines: JSON and a checksum, so that a torn or damaged line is known for one."""

import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from email_service.delivery.envelopes import Claim, Envelope, Outcome
from email_service.delivery.replies import Verdict, judge

CLAIMED, MARKED, UNMARKED, REPLIED, CLOSED = "C", "M", "N", "R", "E"

Record = list[Any]


def line(record: Record) -> bytes:
    try:
        payload = orjson.dumps(record)
    except TypeError:  # half a character, which UTF-8 cannot say and JSON can
        payload = json.dumps(record).encode("ascii")
    return b"%s %08x\n" % (payload, zlib.crc32(payload))


def claimed(claim: Claim) -> bytes:
    return line([CLAIMED, claim.token, list(claim.message_ids)])


def marked(token: int, envelope: Envelope, host: str, tls: str, started_at: datetime) -> bytes:
    return line([MARKED, token, envelope.message_id, envelope.attempt, host, tls, started_at.timestamp()])


def unmarked(token: int, message_id: int) -> bytes:
    return line([UNMARKED, token, message_id])


def replied(outcome: Outcome) -> bytes:
    times = (outcome.started_at.timestamp(), outcome.finished_at.timestamp())
    where = (outcome.host, outcome.tls, *times)
    reply = (outcome.code, outcome.enhanced, outcome.text, outcome.sent)
    return line([REPLIED, outcome.claim_token, outcome.message_id, outcome.attempt, *where, *reply])


def closed(token: int) -> bytes:
    return line([CLOSED, token])


def intact(lines: Iterable[bytes]) -> Iterator[Record]:
    """Read the lines that are whole; a damaged one is passed over, those after it still count."""
    for row in lines:
        payload, _, check = row.rstrip(b"\n").rpartition(b" ")
        if row.endswith(b"\n") and check == b"%08x" % zlib.crc32(payload):
            yield json.loads(payload)


def claims_in(lines: Iterable[bytes]) -> Iterator[Record]:
    """Read only the claims, without looking into the many lines about their messages."""
    return intact(row for row in lines if row.startswith(b'["C"'))


def reply_outcome(record: Record) -> Outcome:
    _, token, message_id, attempt, host, tls, started, finished, code, enhanced, text, sent = record
    return Outcome(
        message_id=message_id,
        claim_token=token,
        attempt=attempt,
        verdict=judge(code, enhanced, text, sent=sent),
        code=code,
        enhanced=enhanced,
        text=text,
        host=host,
        tls=tls,
        started_at=datetime.fromtimestamp(started, UTC),
        finished_at=datetime.fromtimestamp(finished, UTC),
        sent=sent,
    )


def doubtful_outcome(record: Record) -> Outcome:
    _, token, message_id, attempt, host, tls, started = record
    moment = datetime.fromtimestamp(started, UTC)
    return Outcome(
        message_id=message_id,
        claim_token=token,
        attempt=attempt,
        verdict=Verdict.DEFERRED,
        code=0,
        enhanced="",
        text="The sending process ended before the server's reply was written down.",
        host=host,
        tls=tls,
        started_at=moment,
        finished_at=moment,
        in_doubt=True,
        sent=True,
    )
