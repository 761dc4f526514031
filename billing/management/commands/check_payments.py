from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from billing import payments


class Command(BaseCommand):
    help = "Ask the payment gateway about online payments whose message may be lost, as the clock does."

    def handle(self, *args: Any, **options: Any) -> None:
        count = payments.check_due(timezone.now())
        self.stdout.write(f"The gateway was asked about {count} payments.")
