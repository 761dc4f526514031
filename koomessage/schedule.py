"""What runs by the clock. Every entry is safe to run twice, or not at all for ten minutes."""

from typing import Any

from celery.schedules import crontab
from django.conf import settings

SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": "email_service.send_tasks.jobs.sweep", "schedule": settings.SWEEP_SECONDS},
    "reports": {"task": "email_service.reports.jobs.refresh_reports", "schedule": settings.REPORT_SECONDS},
    "drafts": {"task": "email_service.mail_templates.jobs.tidy_drafts", "schedule": 60.0},
    "checks": {"task": "email_service.send_tasks.jobs.tidy_checks", "schedule": 3600.0},
    "sessions": {"task": "iam.jobs.clear_sessions", "schedule": 3600.0},
    "domains": {"task": "email_service.domains.jobs.recheck_due", "schedule": 300.0},
    "exports": {"task": "email_service.downloads.jobs.tidy_exports", "schedule": 30.0},
    # By UTC: at night in China.
    "retention": {
        "task": "email_service.retention.jobs.purge_messages",
        "schedule": crontab(hour=19, minute=10),
    },
    "payments": {"task": "billing.jobs.check_payments", "schedule": 60.0},
    "orders": {"task": "billing.jobs.expire_orders", "schedule": 60.0},
    # Often, so that an hour that was missed is made good long before the next is over.
    "usage": {"task": "billing.jobs.settle_usage", "schedule": 300.0},
    "notices": {"task": "billing.jobs.send_notices", "schedule": 600.0},
}
