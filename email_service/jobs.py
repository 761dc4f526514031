"""Where Celery looks for jobs: re-exports only."""

from email_service.domains.jobs import check_domain

__all__ = ["check_domain"]
