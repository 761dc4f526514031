from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from email_service.send_tasks import dispatch


class Command(BaseCommand):
    help = "Send again with a database that was restored or replaced, and is not the one this host's journals know."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--after-restore", action="store_true", required=True, help="say that you mean it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        highest = dispatch.resume_after_restore()
        self.stdout.write(f"Sending goes on with claims above {highest}.")
