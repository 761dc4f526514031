"""Say which packages ended with mails in them, and tell accounts of those that end soon."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, F, Sum
from django.utils import timezone

from billing import notices
from billing.models import Package


class Command(BaseCommand):
    help = (
        "A package ends by its time alone, and what tasks reserved of it stays valid. This tells accounts by mail what "
        "ends within 30, 7 and 1 days, as the clock does, and prints how much has ended unused."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        ended = Package.objects.filter(expires_at__lte=timezone.now())
        sums = ended.aggregate(number=Count("pk"), unused=Sum(F("total") - F("reserved") - F("consumed")))
        self.stdout.write(f"Notices sent: {notices.tell_due()}.")
        self.stdout.write(f"Packages ended: {sums['number']}, mails unused in them: {sums['unused'] or 0}.")
