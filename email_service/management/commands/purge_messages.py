"""Remove messages of long ago now, rather than in the night."""

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from email_service.retention import purging
from iam.models import Tenant


class Command(BaseCommand):
    help = "Remove messages that ended and were accepted more than DAYS ago, with attempts and events; counts stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=int, metavar="DAYS", help="default: the setting RETENTION_DAYS"
        )
        parser.add_argument("--tenant", metavar="ACCOUNT", help="only this account's messages")
        parser.add_argument("--batch", type=int, default=purging.BATCH, help="messages a transaction")
        parser.add_argument("--dry-run", action="store_true", help="say how many, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["older_than"] if options["older_than"] is not None else settings.RETENTION_DAYS
        if days < 1:
            raise CommandError(
                "Say how old: --older-than 1 or more days (RETENTION_DAYS keeps all for ever)."
            )
        if options["batch"] < 1:
            raise CommandError("A batch holds one message at least.")
        before = timezone.now() - timedelta(days=days)
        tenant = self._tenant(options["tenant"])
        if options["dry_run"]:
            number = purging.removable(before, tenant).count()
            self.stdout.write(f"{number:,} messages would be removed.")
            return
        began = time.monotonic()
        number = purging.purge(before, tenant=tenant, batch=options["batch"], tell=self._tell)
        took = time.monotonic() - began
        self.stdout.write(
            f"{number:,} messages removed in {took:.1f} s ({number / max(took, 0.001):,.0f} a second)."
        )

    def _tenant(self, account: str | None) -> Tenant | None:
        if not account:
            return None
        tenant = Tenant.objects.filter(account__iexact=account).first()
        if tenant is None:
            raise CommandError(f"There is no account {account}.")
        return tenant

    def _tell(self, number: int) -> None:
        if number // 100_000 != self._told:
            self._told = number // 100_000
            self.stdout.write(f"{number:,} messages removed so far")

    _told = 0
