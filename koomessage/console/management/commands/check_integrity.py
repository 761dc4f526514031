"""Prove that every figure the console shows is the sum of the rows behind it."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from billing import integrity as billing
from billing.models import MoneyEntry, UnitEntry
from email_service.reports import integrity as reports
from email_service.send_details import integrity as send_details
from email_service.send_tasks import integrity as send_tasks
from koomessage.common.integrity import Check


class Command(BaseCommand):
    help = "Check that all counts, reports and balances are the sums of their rows; exit 1 where one is not."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each check with its figure, and what is wrong; everything is read at one moment."""
        with transaction.atomic():
            # A task that sends meanwhile must not look like an error.
            if connection.vendor == "postgresql" and not connection.savepoint_ids:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            wrong = sum(self._told(check) for check in _checks())
        if wrong:
            raise CommandError(f"{wrong} problems found.")
        self.stdout.write("Everything adds up.")

    def _told(self, check: Check) -> int:
        state = "wrong" if check.problems else "ok"
        self.stdout.write(f"{state:5}  {check.figure:>10,}  {check.title}")
        for problem in check.problems:
            self.stdout.write(f"       {problem}")
        return len(check.problems)


def _checks() -> Iterator[Check]:
    yield from send_tasks.checks()
    yield from send_details.checks()
    yield from reports.checks()
    lines = UnitEntry.objects.count() + MoneyEntry.objects.count()
    yield Check("balances and packages are the sums of their ledgers", lines, tuple(billing.problems()))
