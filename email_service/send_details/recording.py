"""How each database takes a batch of outcomes: one statement on PostgreSQL, executemany on SQLite.

Only `send_details.outcomes` calls this, in its transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.db import connection

from email_service.send_details.bulk import insert_rows
from email_service.send_details.models import Attempt, Event, Message

_UNFINISHED = (Message.Status.PENDING, Message.Status.HELD)
_MESSAGES, _ATTEMPTS, _EVENTS = (model._meta.db_table for model in (Message, Attempt, Event))
_ATTEMPT_COLUMNS = (
    "message_id", "number", "started_at", "finished_at", "verdict", "host", "tls", "code", "enhanced", "text",
    "in_doubt",
)  # fmt: skip
EVENT_COLUMNS = ("message_id", "tenant_id", "kind", "at", "detail")

# One round trip. Rows are locked in the order of their ids, so that two writers never wait for each other;
# attempts and events are added for what the update has really written.
_RECORD = f"""
WITH given AS MATERIALIZED (
  SELECT *, status IN ('{Message.Status.PENDING}', '{Message.Status.HELD}') AS goes_on
  FROM json_to_recordset(%s::json) AS row(
    message_id bigint, lease_token bigint, status varchar, next_attempt_at timestamptz, attempt smallint,
    verdict varchar, host varchar, tls varchar, code smallint, enhanced varchar, text varchar,
    started_at timestamptz, finished_at timestamptz, in_doubt boolean, reason varchar)
), held AS MATERIALIZED (
  SELECT message.id FROM {_MESSAGES} AS message
  JOIN given ON message.id = given.message_id AND message.lease_token = given.lease_token
  ORDER BY message.id FOR UPDATE OF message
), done AS (
  UPDATE {_MESSAGES} AS message SET status = given.status,
    next_attempt_at = CASE WHEN given.status = '{Message.Status.PENDING}' THEN given.next_attempt_at END,
    finished_at = CASE WHEN NOT goes_on THEN given.finished_at END,
    end_reason = CASE WHEN goes_on THEN '' ELSE given.reason END,
    attempts = given.attempt, in_doubt = message.in_doubt OR given.in_doubt,
    parked_since = NULL, lease_token = NULL
  FROM given JOIN held ON held.id = given.message_id
  WHERE message.id = given.message_id AND message.lease_token = given.lease_token
  RETURNING given.*, message.tenant_id, message.task_id, message.accepted_at
), tried AS (
  INSERT INTO {_ATTEMPTS} ({", ".join(_ATTEMPT_COLUMNS)})
  SELECT message_id, attempt, started_at, finished_at, left(verdict, 10), left(host, 255), left(tls, 64),
    NULLIF(code, 0), left(enhanced, 12), text, in_doubt
  FROM done ORDER BY message_id
), told AS (
  INSERT INTO {_EVENTS} ({", ".join(EVENT_COLUMNS)})
  SELECT message_id, tenant_id, '{Event.Kind.ENDED}', finished_at, jsonb_build_object('status', status)
  FROM done WHERE NOT goes_on ORDER BY message_id
)
SELECT tenant_id, task_id, date_trunc('hour', accepted_at, 'UTC'), array_agg(message_id)
FROM done GROUP BY 1, 2, 3
"""  # noqa: S608 - names of our own tables


@dataclass(slots=True)
class OutcomeRow:
    """How one attempt ended, and what the message becomes by it.

    `status` is `pending` (then with `next_attempt_at`), `held`, or an end. `code` 0: no server said it.
    `reason` names who ended it where no server did (Message.EndReason): such an end costs the tenant nothing.
    The fields' names are those the statement for PostgreSQL reads.
    """

    message_id: int
    lease_token: int
    status: str
    next_attempt_at: datetime | None
    attempt: int
    verdict: str
    host: str
    tls: str
    code: int
    enhanced: str
    text: str
    started_at: datetime
    finished_at: datetime
    in_doubt: bool = False
    reason: str = ""

    @property
    def is_end(self) -> bool:
        return self.status not in _UNFINISHED


@dataclass(frozen=True, slots=True)
class Written:
    """Messages of one task, accepted around one time, to which outcomes were written."""

    tenant_id: int
    task_id: int
    accepted_at: datetime
    message_ids: tuple[int, ...]


def write(rows: Iterable[OutcomeRow]) -> list[Written]:
    """Write the outcomes whose token is still the message's, the first where there are several."""
    fresh: dict[tuple[int, int], OutcomeRow] = {}
    for row in rows:
        row.text = _storable(row.text)
        fresh.setdefault((row.message_id, row.lease_token), row)
    if not fresh:
        return []
    if connection.vendor == "postgresql":
        return _write_at_once(list(fresh.values()))
    return _write_one_by_one(list(fresh.values()))


def _write_at_once(rows: list[OutcomeRow]) -> list[Written]:
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [orjson.dumps(rows).decode()])
        return [Written(tenant, task, at, tuple(ids)) for tenant, task, at, ids in cursor.fetchall()]


def _write_one_by_one(rows: Sequence[OutcomeRow]) -> list[Written]:
    held = {
        (pk, token): (tenant, task, accepted_at)
        for pk, token, tenant, task, accepted_at in Message.objects.filter(
            pk__in=[row.message_id for row in rows], lease_token__isnull=False
        ).values_list("pk", "lease_token", "tenant_id", "task_id", "accepted_at")
    }
    ours = [row for row in rows if (row.message_id, row.lease_token) in held]
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {_MESSAGES} SET status = %s, next_attempt_at = %s, finished_at = %s, end_reason = %s, "  # noqa: S608
            "attempts = %s, in_doubt = in_doubt OR %s, parked_since = NULL, lease_token = NULL WHERE id = %s",
            [
                (
                    row.status,
                    adapt(_due(row)),
                    adapt(row.finished_at if row.is_end else None),
                    row.reason if row.is_end else "",
                    row.attempt,
                    row.in_doubt,
                    row.message_id,
                )
                for row in ours
            ],
        )
    insert_rows(Attempt, _ATTEMPT_COLUMNS, (_attempt(row) for row in ours))
    insert_rows(
        Event,
        EVENT_COLUMNS,
        (
            (
                row.message_id,
                held[row.message_id, row.lease_token][0],
                Event.Kind.ENDED,
                row.finished_at,
                {"status": row.status},
            )
            for row in ours
            if row.is_end
        ),
    )
    found: dict[tuple[int, int, datetime], list[int]] = {}
    for row in ours:
        found.setdefault(held[row.message_id, row.lease_token], []).append(row.message_id)
    return [Written(*facts, tuple(ids)) for facts, ids in found.items()]


def _attempt(row: OutcomeRow) -> tuple[object, ...]:
    return (
        row.message_id,
        row.attempt,
        row.started_at,
        row.finished_at,
        str(row.verdict)[:10],
        row.host[:255],
        row.tls[:64],
        row.code or None,
        row.enhanced[:12],
        row.text,
        row.in_doubt,
    )


def _due(row: OutcomeRow) -> datetime | None:
    return row.next_attempt_at if row.status == Message.Status.PENDING else None


def _storable(text: str) -> str:
    """Leave out what no database keeps."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\0", "")[:500]
