"""Hints that there is work. Lose every one of them, and the sweep finds the work in the database."""

import logging

from celery import Task as Job
from celery import shared_task
from django.db import transaction

from email_service.send_details import addressees
from email_service.send_tasks import checks, claims, dispatch, recipients, stopping
from email_service.send_tasks import sweep as sweeping

logger = logging.getLogger(__name__)
__all__ = [
    "check_recipients",
    "deliver",
    "hint",
    "hint_on_commit",
    "read_recipients",
    "remember_addressees",
    "stopping",
    "sweep",
    "tidy_checks",
]


@shared_task(reject_on_worker_lost=True)
def deliver() -> None:
    """Deliver for a moment what is due, and hint at going on while there may be more: at once, or where a limit
    keeps all mail back, within half a second.

    Where the process is killed the broker hands the job out again, so that no fewer workers go on.
    """
    if dispatch.deliver() or claims.wait_for_tokens():
        hint(deliver)


@shared_task
def read_recipients(task_id: int) -> None:
    """Read on in the task's recipient file, and hint at its sending."""
    if recipients.read(task_id):
        hint(deliver)
    hint(remember_addressees)


@shared_task
def remember_addressees() -> None:
    """Let the search by parts know the addresses of large files, a batch at a time."""
    if addressees.remember_some():
        hint(remember_addressees)


@shared_task
def check_recipients(check_id: int) -> None:
    """Look through the file of a task that is not submitted yet."""
    checks.read(check_id)


@shared_task
def tidy_checks() -> None:
    """Delete what was checked and never submitted."""
    while checks.tidy_checks():
        pass


@shared_task
def sweep() -> None:
    """Hint at all work nobody is at."""
    found = sweeping.sweep()
    for task_id in found.unread:
        hint(read_recipients, task_id)
    for check_id in found.unchecked:
        hint(check_recipients, check_id)
    if found.addressees:
        hint(remember_addressees)
    for _ in range(found.deliveries):
        hint(deliver)


def hint(job: Job, *arguments: int) -> None:
    """Publish a job now; a broker that does not answer only makes the work later."""
    try:
        job.delay(*arguments)
    except Exception as error:  # every broker has kinds of its own
        logger.warning("%s could not be hinted at, the sweep will find the work: %s", job.name, error)


def hint_on_commit(job: Job, *arguments: int) -> None:
    """Publish a job once the transaction stands."""
    transaction.on_commit(lambda: hint(job, *arguments))
