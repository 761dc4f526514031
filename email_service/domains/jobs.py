"""Background work of the sending domains."""

from celery import shared_task
from django.utils import timezone

from email_service.domains import notices, rechecks, rotation, verification
from email_service.domains.models import Domain
from email_service.domains.verification import Outcome
from iam.jobs import AGAIN


@shared_task
def check_domain(domain_id: int) -> None:
    """Look the domain's DNS records up and write down the outcome. Safe to run twice."""
    follow(verification.check_domain(domain_id))


@shared_task
def recheck_due() -> None:
    """Look up again what is due, drop old keys, tell what a lost hint left untold. Safe to run twice."""
    rotation.retire(timezone.now())
    for recheck in rechecks.run(rechecks.due()):
        follow(recheck.outcome)
    for domain_id in Domain.objects.untold().values_list("pk", flat=True)[: rechecks.MOST_A_RUN]:
        tell.delay(domain_id)


@shared_task(**AGAIN)
def tell(domain_id: int) -> None:
    """Mail the account that records are gone, once. Safe to run twice."""
    notices.tell(domain_id)


def follow(outcome: Outcome) -> None:
    """Hint what must come after a check."""
    if outcome.must_tell:
        tell.delay(outcome.domain_id)
    if outcome.holder_id is not None:
        check_domain.delay(outcome.holder_id)
