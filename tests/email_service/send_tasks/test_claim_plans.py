"""A claim takes the next messages off the index: its cost does not grow with what waits."""

import json
from typing import Any

import pytest
from django.db import connection

from iam.models import Tenant
from tests.factories_limits import limit_destination, make_messages, take
from tests.factories_sending import make_task

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans are PostgreSQL's"),
]


@pytest.mark.parametrize("has_limits", [False, True], ids=["no limits", "limited destinations"])
def test_what_is_due_at_one_moment_is_claimed_without_sorting_all_of_it(acme: Tenant, has_limits: bool):
    make_messages(make_task(acme), 20_000)
    if has_limits:
        limit_destination("elsewhere.example", 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE email_service_message")

    plans = _plans_of_a_claim()

    assert plans, "no statement looked for due messages"
    for plan in plans:
        assert "Sort" not in plan, plan
        assert "message_due" in plan, plan


def _plans_of_a_claim() -> list[str]:
    """Claim, and return the plans of the statements that looked for due messages in their order."""
    plans = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "ORDER BY next_attempt_at" in sql:
            with connection.connection.cursor() as cursor:
                plan = cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params).fetchone()[0]
            plans.append(json.dumps(plan))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        batch = take()
    assert batch is not None and batch.messages
    return plans
