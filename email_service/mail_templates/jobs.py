"""Background work of the templates: large bodies, and mail about reviews.

A mail server that is down delays a mail, and never loses the decision.
"""

from celery import shared_task

from email_service.mail_templates import drafts, notices
from email_service.mail_templates.models import Template, TemplateVersion
from iam.jobs import AGAIN


@shared_task
def tidy_draft(draft_id: int) -> None:
    """Clean a large body and store it. Safe to run twice."""
    drafts.carry_out(draft_id)


@shared_task
def tidy_drafts() -> None:
    """Take up drafts whose job was lost, and drop old ones."""
    drafts.drop_old()
    for draft_id in drafts.stuck():
        # Each by a job of its own: one body that breaks its worker keeps no other waiting.
        tidy_draft.delay(draft_id)


@shared_task(**AGAIN)
def mail_review(version_id: int) -> None:
    """Mail the author what was decided about the version. Twice is harmless: both mails say the same."""
    decided = TemplateVersion.objects.exclude(status=Template.Status.PENDING)
    for version in decided.filter(pk=version_id).select_related("template__tenant", "author"):
        notices.send_review(version)
