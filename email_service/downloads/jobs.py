"""Hints that an export waits; lost ones are found by the clock."""

from celery import shared_task

from email_service.downloads import making, tidying


@shared_task
def make_export(export_id: int) -> None:
    """Make an export's file, and hint at the account's next. Safe to run twice, or twice at once."""
    if making.make(export_id):
        for waiting in tidying.waiting_of(export_id):
            make_export.delay(waiting)


@shared_task
def tidy_exports() -> None:
    """Hint at exports that nobody is at, and delete the files whose days are over."""
    tidying.drop_expired()
    for export_id in tidying.stuck():
        make_export.delay(export_id)
