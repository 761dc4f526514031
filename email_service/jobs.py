"""Where Celery looks for jobs: re-exports only."""

from email_service.domains.jobs import check_domain, recheck_due, tell
from email_service.downloads.jobs import make_export, tidy_exports
from email_service.mail_templates.jobs import mail_review, tidy_draft, tidy_drafts
from email_service.reports.jobs import refresh_reports
from email_service.retention.jobs import purge_messages
from email_service.send_tasks.jobs import check_recipients, deliver, read_recipients, sweep, tidy_checks

__all__ = [
    "check_domain",
    "check_recipients",
    "deliver",
    "mail_review",
    "make_export",
    "purge_messages",
    "read_recipients",
    "recheck_due",
    "refresh_reports",
    "sweep",
    "tell",
    "tidy_checks",
    "tidy_draft",
    "tidy_drafts",
    "tidy_exports",
]
