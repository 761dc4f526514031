"""Looking verified domains up again by themselves, so that a loss is noticed before mails bounce."""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.utils import timezone

from email_service.domains import verification
from email_service.domains.examination import Finding, examine
from email_service.domains.models import Domain
from email_service.domains.verification import Outcome, records_of

AT_ONE_TIME = 8  # domains, each with a look-up a record
MOST_A_RUN = 200
SECONDS_A_RUN = 60.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recheck:
    domain: Domain
    findings: list[Finding]
    outcome: Outcome


def due() -> list[int]:
    """Return whom the next run looks at."""
    return list(Domain.objects.due_for_recheck().values_list("pk", flat=True)[:MOST_A_RUN])


def run(domain_ids: Sequence[int], *, seconds: float = SECONDS_A_RUN) -> Iterator[Recheck]:
    """Look these domains up through the configured resolvers, and yield each as it is written down.

    What the time does not suffice for is left, and is due still. Twice at once is only twice the work.
    """
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(max_workers=AT_ONE_TIME) as pool:
        for start in range(0, len(domain_ids), AT_ONE_TIME):
            if time.monotonic() > end:
                return
            chosen = domain_ids[start : start + AT_ONE_TIME]
            rows = Domain.objects.select_related("tenant").in_bulk(chosen)
            # Where a person's own check is under way, its outcome counts, not ours.
            domains = [rows[pk] for pk in chosen if pk in rows and not rows[pk].is_checking]
            found = [
                pool.submit(examine, domain.name, records_of(domain), asks_owner=False) for domain in domains
            ]
            for domain, answer in zip(domains, found, strict=True):
                try:
                    findings = answer.result()
                    outcome = verification.write(domain, findings, now=timezone.now())
                except Exception:
                    # What one zone publishes must not keep the others from being looked at.
                    logger.exception("The re-check of the domain %s failed.", domain.pk)
                    continue
                written = Domain.objects.select_related("tenant").filter(pk=domain.pk).first()
                if written is not None:  # Else it was deleted meanwhile.
                    yield Recheck(written, findings, outcome)
