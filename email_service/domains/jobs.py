"""Background work of the sending domains."""

from celery import shared_task

from email_service.domains import verification


@shared_task
def check_domain(domain_id: int) -> None:
    """Look the domain's DNS records up and write down the outcome. Safe to run twice."""
    verification.check_domain(domain_id)
