"""Count the reports anew from messages, and from what is kept of those removed."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from email_service.reports.rebuilding import rebuild
from iam.models import Tenant

_MOST_NAMED = 100


class Command(BaseCommand):
    help = "Count all hours of the reports anew, and say which were wrong. Sending may go on meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="ACCOUNT", help="only this account's reports")
        parser.add_argument("--from", type=date.fromisoformat, metavar="DATE", help="first day (UTC)")
        parser.add_argument("--to", type=date.fromisoformat, metavar="DATE", help="last day (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["from"], options["to"]
        wrong = waiting = 0
        for found in rebuild(
            tenant=self._tenant(options["tenant"]),
            start=_midnight(first) if first else None,
            end=_midnight(last + timedelta(days=1)) if last else None,
        ):
            waiting += found.was_waiting
            wrong += not found.was_waiting
            if not found.was_waiting and wrong <= _MOST_NAMED:
                self.stdout.write(
                    f"task {found.task_id}, {found.hour:%Y-%m-%d %H}:00 UTC: showed {found.shown}, has {found.counted}"
                )
        self.stdout.write(
            f"{wrong} hours were wrong and are right now; {waiting} were waiting to be counted."
        )

    def _tenant(self, account: str | None) -> Tenant | None:
        if not account:
            return None
        tenant = Tenant.objects.filter(account__iexact=account).first()
        if tenant is None:
            raise CommandError(f"There is no account {account}.")
        return tenant


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
