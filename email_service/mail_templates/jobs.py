"""Background work of the templates."""

from celery import shared_task

from email_service.mail_templates import drafts


@shared_task
def tidy_draft(draft_id: int) -> None:
    """Clean a large body and store it. Safe to run twice."""
    drafts.carry_out(draft_id)


@shared_task
def tidy_drafts() -> None:
    """Take up drafts whose job was lost, and drop old ones."""
    for draft_id in drafts.stuck():
        drafts.carry_out(draft_id)
    drafts.drop_old()
