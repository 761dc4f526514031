"""Begin the rotation of DKIM keys: of named domains, or of all whose key is old."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from email_service.domains import names, services
from email_service.domains.models import DkimKey, Domain
from email_service.domains.records import Purpose
from koomessage.common.errors import RuleViolation


class Command(BaseCommand):
    help = (
        "Give verified domains a second DKIM key, as the button on their pages does, and print the record to "
        "publish for each. The old key signs until that record was found. Exit status 1: one was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="domains, for example mail.example.com")
        parser.add_argument(
            "--all-older-than",
            type=int,
            metavar="DAYS",
            help="every verified domain whose key is older and that has no rotation under way",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["names"]) == (options["all_older_than"] is not None):
            raise CommandError("Give names, or --all-older-than DAYS.")
        refused = 0
        for domain in self._chosen(options):
            try:
                services.start_rotation(domain, user=None)
            except RuleViolation as refusal:
                refused += 1
                self.stderr.write(f"{domain.name} ({domain.tenant.account}): {refusal.message}")
                continue
            record = domain.records.get(purpose=Purpose.DKIM_NEXT)
            self.stdout.write(
                f"{domain.name} ({domain.tenant.account}): publish {record.kind} {record.name} {record.expected}"
            )
        if refused:
            raise SystemExit(1)

    def _chosen(self, options: dict[str, Any]) -> QuerySet[Domain]:
        verified = Domain.objects.verified().select_related("tenant").order_by("name")
        if options["all_older_than"] is not None:
            made_before = timezone.now() - timedelta(days=options["all_older_than"])
            keys = DkimKey.objects.filter(domain=OuterRef("pk"))
            is_old = Exists(keys.filter(state=DkimKey.State.SIGNING, created_at__lte=made_before))
            return verified.filter(is_old).exclude(Exists(keys.exclude(state=DkimKey.State.SIGNING)))
        try:
            wanted = {names.normalise(text) for text in options["names"]}
        except RuleViolation as refusal:
            raise CommandError(str(refusal.message)) from refusal
        # One account at most has verified a name, so the name alone says whose domain is meant.
        found = verified.filter(name__in=wanted)
        if missing := wanted - set(found.values_list("name", flat=True)):
            raise CommandError(f"No account has verified {', '.join(sorted(missing))}.")
        return found
