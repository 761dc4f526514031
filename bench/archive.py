"""A year of mail in the database, and the console asked about it: `python -m bench.archive`.

Its commands are the functions below; each answers one line of JSON.
"""

import os
import random
import time
from datetime import timedelta
from statistics import median, quantiles
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.utils.http import urlencode  # noqa: E402

from bench.sides import obey  # noqa: E402
from email_service.models import Attempt, Event, Message, Task  # noqa: E402
from email_service.reports import aggregation  # noqa: E402
from email_service.send_details import addressees, outcomes  # noqa: E402
from iam.models import Tenant, User  # noqa: E402
from koomessage.common.paging import _pack  # noqa: E402

LARGE, SMALL = 100_000, 100  # messages of a task
SMALL_TASKS = 1_000
DAYS = 360
# The account that is looked at has seven of ten messages; three others share the rest.
ACCOUNTS = 4
NAMES = (
    "zhang", "wang", "li", "chen", "liu", "yang", "huang", "zhao", "wu", "zhou", "xu", "sun", "ma", "zhu", "hu", "guo",
    "he", "lin", "gao", "luo", "zheng", "liang", "xie", "song", "tang", "han", "feng", "deng", "cao", "peng", "sales",
    "info", "service", "buyer", "smith", "jones", "mueller", "garcia", "tanaka", "kim",
)  # fmt: skip
DOMAINS = (
    "qq.com",
    "163.com",
    "126.com",
    "gmail.com",
    "outlook.com",
    "sina.com",
    "aliyun.com",
    "example.com",
)
_MESSAGE, _ATTEMPT, _EVENT = (model._meta.db_table for model in (Message, Attempt, Event))
POSTGRESQL = connection.vendor == "postgresql"
_random = random.Random(11)


def fill(count: str) -> dict[str, int]:
    """Make so many messages, as a year of tasks leaves them: all ended, some failed."""
    call_command("migrate", verbosity=0, interactive=False)
    indexes = _drop_indexes()
    with connection.cursor() as cursor:
        if POSTGRESQL:
            # The rows are right by themselves: no look at each foreign key.
            cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for table, words in (("bench_name", NAMES), ("bench_domain", DOMAINS)):
            cursor.execute(f"CREATE TEMPORARY TABLE {table} (id integer PRIMARY KEY, word varchar(20))")
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", list(enumerate(words)))
    people = max(int(count) // 10, 2 * LARGE) * 10 + 1
    for task, messages in _tasks(int(count)):
        with transaction.atomic():
            _fill_task(task, messages, people)
    for statement in indexes:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    # As reading recipients would have done; else no part of an address is found but among the newest.
    addressees.remember_all()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if POSTGRESQL else "ANALYZE")
    while aggregation.refresh(timezone.now(), 10_000):
        pass
    return {"messages": Message.objects.count()}


def _tasks(count: int) -> Any:
    """Yield tasks, oldest first, with how many messages each is to have."""
    from tests.factories import make_email_service, make_tenant, make_user
    from tests.factories_sending import make_sender, make_task, make_version

    accounts = []
    for _ in range(ACCOUNTS):
        tenant = make_tenant()
        make_email_service(tenant)
        make_user(tenant, is_main=True)
        accounts.append(
            {"tenant": tenant, "address": make_sender(tenant), "template_version": make_version(tenant)}
        )
    small = min(SMALL_TASKS, count // SMALL // 10)
    sizes = [LARGE] * max(1, (count - small * SMALL) // LARGE) + [SMALL] * small
    _random.shuffle(sizes)
    began = timezone.now() - timedelta(days=DAYS)
    for number, size in enumerate(sizes):
        at = began + timedelta(days=DAYS) * number / len(sizes)
        whose = accounts[0] if number % 10 < 7 else accounts[1 + number % (ACCOUNTS - 1)]
        yield (
            make_task(
                **whose, status="finished", due_at=at, started_at=at, finished_at=at + timedelta(hours=3),
                accepted_count=size, delivered_count=size,
            ),
            size,
        )  # fmt: skip


def _fill_task(task: Task, messages: int, people: int) -> None:
    step = 0.1
    start = task.due_at
    if POSTGRESQL:
        numbers = "generate_series(0, %s - 1) AS numbers(i)"
        at = "%s::timestamptz + i * interval '100 milliseconds'"
        moment: object = start
    else:
        up = "SELECT 0 UNION ALL SELECT i + 1 FROM up WHERE i + 1 < %s"
        numbers = f"(WITH RECURSIVE up(i) AS ({up}) SELECT i FROM up)"
        at = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', %s + i * 0.1, 'unixepoch')"
        moment = start.timestamp()
    status = (
        "CASE WHEN i %% 1000 = 7 THEN 'expired' WHEN i %% 100 < 3 THEN 'failed' WHEN i %% 100 = 3 THEN 'rejected' "
        "ELSE 'delivered' END"
    )
    no = "false" if POSTGRESQL else "0"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_MESSAGE} (tenant_id, task_id, recipient, recipient_key, domain, params, row_number, "
            "status, accepted_at, finished_at, end_reason, attempts, crashes, in_doubt) "
            f"SELECT {task.tenant_id}, {task.pk}, address, address, host, '[]', i, {status}, at, at, '', 1, 0, {no} "
            "FROM (SELECT i, name.word || n || '@' || domain.word AS address, domain.word AS host, at FROM "
            f"(SELECT i, (i * 7919 + {task.pk} * 104729) %% {people} AS n, {at} AS at FROM {numbers}) AS rows "
            f"JOIN bench_name AS name ON name.id = n %% {len(NAMES)} "
            f"JOIN bench_domain AS domain ON domain.id = n %% {len(DOMAINS)} ORDER BY i) AS made",
            [moment, messages],
        )
        cursor.execute(
            f"INSERT INTO {_ATTEMPT} (message_id, number, started_at, finished_at, verdict, host, tls, code, enhanced, "
            "text, in_doubt) SELECT id, 1, accepted_at, finished_at, status, 'mx.' || domain, 'TLSv1.3', "
            "CASE status WHEN 'delivered' THEN 250 ELSE 550 END, CASE status WHEN 'delivered' THEN '2.0.0' "
            "WHEN 'rejected' THEN '5.7.1' ELSE '5.1.1' END, 'As the server said it', in_doubt "
            f"FROM {_MESSAGE} WHERE task_id = {task.pk}" + ("" if POSTGRESQL else " AND 1")
        )
        cursor.execute(
            f"INSERT INTO {_EVENT} (message_id, tenant_id, kind, at, detail) SELECT id, tenant_id, 'ended', "
            + (
                "finished_at, jsonb_build_object('status', status) "
                if POSTGRESQL
                else "finished_at, json_object('status', status) "
            )
            + f"FROM {_MESSAGE} WHERE task_id = {task.pk}"
        )
    hours = range(int(messages * step // 3600) + 2)
    outcomes.mark_dirty((task.tenant_id, task.pk, start + timedelta(hours=hour)) for hour in hours)


def _drop_indexes() -> list[str]:
    """Drop the indexes that are no constraint of the three large tables; return how to make them again."""
    if POSTGRESQL:
        asked = (
            "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_class t ON t.oid = i.indrelid WHERE t.relname IN (%s, %s, %s) AND NOT i.indisunique"
        )
    else:
        asked = (
            "SELECT name, sql FROM sqlite_master "
            "WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (%s, %s, %s)"
        )
    with connection.cursor() as cursor:
        cursor.execute(asked, [_MESSAGE, _ATTEMPT, _EVENT])
        found = [row for row in cursor.fetchall() if "UNIQUE" not in row[1] and f"{_MESSAGE}_pkey" != row[0]]
        for name, _definition in found:
            cursor.execute(f'DROP INDEX "{name}"')
    # Searched by task while the attempts are made: this one alone stays.
    needed = next(definition for name, definition in found if name == "message_by_task")
    with connection.cursor() as cursor:
        cursor.execute(needed)
    return [definition for _name, definition in found if definition != needed]


def measure(kind: str, rounds: str) -> dict[str, float]:
    """Ask for pages of that kind and return the median, the 95th percentile and the longest, in milliseconds."""
    tenant = Tenant.objects.order_by("pk")[0]
    client = Client(SERVER_NAME="localhost", headers={"accept-language": "zh-hans"})
    client.force_login(User.objects.get(tenant=tenant, is_main=True), backend="iam.backends.StaffBackend")
    chosen = [_address_of(kind, tenant) for _ in range(int(rounds) + 3)]
    times = []
    for address in chosen:
        began = time.perf_counter()
        answer = client.get(address)
        times.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, (address, answer.status_code)
    times = times[3:]  # the first compile templates and fill caches of the process
    return {"median": median(times), "p95": quantiles(times, n=20)[-1], "longest": max(times)}


def _address_of(kind: str, tenant: Tenant) -> str:
    today = timezone.localdate()
    year = {"created_from": f"{today - timedelta(days=DAYS)}T00:00:00"}
    mine = Message.objects.for_tenant(tenant)
    if kind == "overview":
        return "/"
    if kind == "report_day":
        day = str(today - timedelta(days=_random.randrange(DAYS)))
        return f"/email/reports/?{urlencode({'kind': 'hour', 'first': day, 'last': day})}"
    if kind == "report_year":
        first = str(today - timedelta(days=DAYS))
        return f"/email/reports/?{urlencode({'kind': 'day', 'first': first, 'last': str(today)})}"
    if kind == "first_page":
        return f"/email/details/?{urlencode(year)}"
    row = (
        mine.filter(pk__gte=_random.randrange(Message.objects.latest("pk").pk)).order_by("pk").first()
        or mine[0]
    )
    if kind == "message_page":
        return row.get_absolute_url()
    asked = {
        "deep_page": {"after": _pack(row, "accepted_at")},
        "task_and_status": {"task_code": row.task.code, "status": "failed"},
        "exact_recipient": {"recipient": row.recipient},
        "substring": {"recipient": _part_of(row.recipient)},
    }[kind]
    return f"/email/details/?{urlencode({**year, **asked})}"


def _part_of(address: str) -> str:
    """Four characters of the name: often a family name that a million others bear, often digits few have."""
    name = address.partition("@")[0]
    start = _random.randrange(max(1, len(name) - 3))
    return name[start : start + 4]


if __name__ == "__main__":
    obey({"fill": fill, "measure": measure})
