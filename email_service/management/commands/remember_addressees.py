"""Make known to the search what messages were written without it: by an older version, or past the console."""

from typing import Any

from django.core.management.base import BaseCommand

from email_service.send_details import addressees


class Command(BaseCommand):
    help = (
        "Add the addresses of messages that 发送明细 cannot find by a part of the address yet: those written by "
        "workers of an older version while the database had already been changed. Safe to run twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{addressees.remember_all()} addresses added.")
