"""What iam does away from pages, and by the clock.

Mail goes out of Celery jobs, so that no page waits for it, or tells by its time that there was one.
"""

from smtplib import SMTPException

from celery import shared_task
from django.conf import settings
from django.core.management import call_command

from iam import notices
from iam.models import EnterpriseApplication, User

AGAIN = {"autoretry_for": (OSError, SMTPException), "retry_backoff": 30, "max_retries": 6}


@shared_task(**AGAIN)
def mail_confirmation(user_id: int, language: str) -> None:
    """Mail the confirmation link to a user who has not confirmed yet. Twice is harmless: both links work."""
    for user in User.objects.filter(pk=user_id, email_confirmed_at=None).select_related("tenant"):
        notices.send_confirmation(user, language)


@shared_task(**AGAIN)
def mail_password_reset(email: str, language: str) -> None:
    """Mail a link to choose a new password to whoever has this address, if anybody."""
    notices.send_reset_links(email, language)


@shared_task(**AGAIN)
def mail_decision(application_id: int) -> None:
    """Mail the account the decision on its enterprise verification."""
    application = EnterpriseApplication.objects.select_related("tenant").get(pk=application_id)
    notices.send_decision(application, settings.LANGUAGE_CODE)


@shared_task
def clear_sessions() -> None:
    """Delete the sessions that have ended, with what visitors had filled in. Twice, or late, is harmless."""
    call_command("clearsessions")
