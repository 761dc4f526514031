"""Settle what accounts used as you go, hour by hour."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from billing import settlement


class Command(BaseCommand):
    help = (
        "Charge the usage of hours that are over to the balances; the clock does the same every few minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--until",
            default="",
            help="settle hours that ended by this moment, such as 2024-08-16T17:00; default: now",
        )

    def handle(self, *args: Any, until: str, **options: Any) -> None:
        """Say how many hours of how many accounts became lines of the ledger."""
        try:
            moment = parse_datetime(until) if until else timezone.now()
        except ValueError:
            moment = None
        if moment is None:
            raise CommandError(
                "Give the moment as 2024-08-16T17:00, in the platform's time zone or with an offset."
            )
        if timezone.is_naive(moment):
            moment = timezone.make_aware(moment)
        hours = settlement.settle_usage(moment)
        self.stdout.write(f"Hours settled: {hours}.")
