"""Whether the platform does its work, in three queries: what load balancers and monitors ask."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import QuerySet
from django.utils import timezone

from email_service.send_tasks import pulse
from email_service.send_tasks.claims import due_tasks
from email_service.send_tasks.models import ClaimCounter
from email_service.send_tasks.models_workers import Heartbeat
from email_service.setup.models import PlatformSending
from email_service.setup.queries import HALTED


@dataclass
class Health:
    """What was found; `reasons` are sentences for whoever is woken by them."""

    reasons: list[str] = field(default_factory=list)
    is_red: bool = False
    is_paused: bool | None = None
    claim_age: float | None = None
    sweep_age: float | None = None

    @property
    def status(self) -> str:
        return "degraded" if self.reasons else "ok"

    def as_words(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "reasons": self.reasons,
            "sending_paused": self.is_paused,
            "last_claim_seconds_ago": self.claim_age,
            "last_sweep_seconds_ago": self.sweep_age,
        }

    def complain(self, sentence: str, *, is_red: bool = True) -> None:
        self.reasons.append(sentence)
        self.is_red = self.is_red or is_red


def examine(*, only_pages: bool = False) -> Health:
    """Look at the database, its tables, and unless only pages matter at the work in it."""
    found = Health()
    try:
        missing = _missing_migrations()
        if missing:
            found.complain(f"Migrations are missing: {', '.join(missing)}.")
            return found
        if not only_pages:
            _look_at_work(found)
    except Error as error:
        found.complain(f"The database does not answer: {type(error).__name__}.")
    return found


def _look_at_work(found: Health) -> None:
    now = timezone.now()
    limit = settings.HEALTH_STALLED_SECONDS
    # What waits for a limit or for the next day's ceiling is not due: nobody is at fault.
    waits, found.is_paused, claimed_at, swept_at, switched_at = _one_row(
        due_tasks(now - timedelta(seconds=limit))
    )
    found.claim_age, found.sweep_age = _age(claimed_at, now), _age(swept_at, now)
    # Whoever resumes sending gives the workers as long again.
    is_fresh = any(age is not None and age <= limit for age in (found.claim_age, _age(switched_at, now)))
    if waits and not is_fresh:
        since = "" if found.claim_age is None else f" for {found.claim_age:.0f} seconds"
        found.complain(f"Mail is due and no worker has claimed any{since}. Are the sending workers running?")
    if found.sweep_age is None or found.sweep_age > limit:
        since = "has never run" if found.sweep_age is None else f"last ran {found.sweep_age:.0f} seconds ago"
        found.complain(f"The sweep {since}. Are the schedule and the console workers running?", is_red=False)


def _one_row(due: QuerySet[Any]) -> tuple[bool, bool, datetime | None, datetime | None, datetime | None]:
    """Ask five things of four tables in one query, which Django's querysets cannot say."""
    asked = (
        ("EXISTS(%s)", due.order_by()),
        ("EXISTS(%s)", HALTED.all()),
        ("(%s)", ClaimCounter.objects.filter(pk=1).values("claimed_at")),
        ("(%s)", Heartbeat.objects.filter(name=pulse.SWEEP).values("at")),
        ("(%s)", PlatformSending.objects.filter(pk=1).values("changed_at")),
    )
    sql: list[str] = []
    values: list[Any] = []
    for shape, rows in asked:
        part, parameters = rows.query.sql_with_params()
        sql.append(shape.replace("%s", part))
        values.extend(parameters)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(sql)}", values)
        waits, is_paused, *moments = cursor.fetchone()
    claimed_at, swept_at, switched_at = map(_moment, moments)
    return bool(waits), bool(is_paused), claimed_at, swept_at, switched_at


def _moment(value: datetime | str | None) -> datetime | None:
    """Return a moment as every database hands it over: SQLite as text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and timezone.is_naive(moment) else moment


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round(max(0.0, (now - moment).total_seconds()), 1)


def _missing_migrations() -> list[str]:
    applied = set(MigrationRecorder.Migration.objects.using("default").values_list("app", "name"))
    return [f"{app}.{name}" for app, name in _known_migrations() if (app, name) not in applied]


@lru_cache(maxsize=1)
def _known_migrations() -> tuple[tuple[str, str], ...]:
    """Return the migrations this code came with; they do not change while it runs."""
    return tuple(sorted(MigrationLoader(None).disk_migrations))
