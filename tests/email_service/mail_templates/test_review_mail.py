"""Mail about a review: the author learns of it, and a mail server that is down loses nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test import Client

from email_service.mail_templates.jobs import mail_review
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.mail_templates.services import approve_version, reject_version
from email_service.setup.models import EmailService
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from tests.factories import make_email_service, make_staff, make_tenant
from tests.factories_templates import make_template


@pytest.fixture
def pending(acme: Tenant, owner: User) -> TemplateVersion:
    EmailService.objects.filter(tenant=acme).update(sensitive=True)
    version = make_template(acme, user=owner, title="Spring “sale”").version
    assert version is not None
    return version


def test_an_approval_is_mailed_to_the_author(
    pending: TemplateVersion, owner: User, django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        approve_version(pending, by=make_staff())

    (message,) = mail.outbox
    assert message.to == [owner.email]
    assert message.subject == "您的模板已通过审核：Spring “sale”"
    assert f"http://localhost:8000/email/templates/{pending.template_id}/" in message.body
    assert pending.template.code in message.body


def test_a_rejection_is_mailed_with_its_reason(
    pending: TemplateVersion, django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        reject_version(pending, by=make_staff(), reasons=["sender"], reason="Name <the> shop & more.")

    (message,) = mail.outbox
    assert "Name <the> shop & more." in message.body
    assert "请写明公司或品牌名称" in message.body


@pytest.mark.parametrize("case", ["no address", "gone", "disabled", "staff"])
def test_without_an_author_to_write_to_the_account_is_told(
    pending: TemplateVersion, owner: User, acme: Tenant, case: str, django_capture_on_commit_callbacks: Any
):
    Tenant.objects.filter(pk=acme.pk).update(email="office@acme.example")
    if case == "no address":
        User.objects.filter(pk=owner.pk).update(email="")
    elif case == "disabled":
        User.objects.filter(pk=owner.pk).update(is_active=False)
    else:
        author = make_staff(email="clerk@platform.example") if case == "staff" else None
        TemplateVersion.objects.filter(pk=pending.pk).update(author=author)

    with django_capture_on_commit_callbacks(execute=True):
        approve_version(pending, by=make_staff())

    assert [message.to for message in mail.outbox] == [["office@acme.example"]]


def test_nobody_to_write_to_is_no_error(
    pending: TemplateVersion, owner: User, acme: Tenant, django_capture_on_commit_callbacks: Any
):
    User.objects.filter(pk=owner.pk).update(email="")
    Tenant.objects.filter(pk=acme.pk).update(email="")

    with django_capture_on_commit_callbacks(execute=True):
        approve_version(pending, by=make_staff())

    assert mail.outbox == []


def test_a_decision_that_is_rolled_back_is_not_mailed(
    pending: TemplateVersion, django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            approve_version(pending, by=make_staff())
            raise ZeroDivisionError

    assert mail.outbox == []


def test_a_version_that_still_waits_is_not_mailed_about(pending: TemplateVersion):
    mail_review(pending.pk)
    mail_review(0)

    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_down_does_not_lose_the_decision(
    pending: TemplateVersion, settings: Any, as_operator: Client, caplog: pytest.LogCaptureFixture
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    answer = as_operator.post(
        f"/admin/email_service/templateversion/{pending.pk}/decide/", {"decision": "approve"}
    )

    caplog.clear()  # Celery's word about the job that could not reach the server
    assert answer.status_code == 302
    pending.refresh_from_db()
    assert pending.status == "approved"
    assert Template.objects.get(pk=pending.template_id).status == "approved"


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_one_decides():
    tenant = make_tenant()
    make_email_service(tenant, sensitive=True)
    version = make_template(tenant).version
    assert version is not None
    staff = [make_staff() for _number in range(8)]

    def decide(number: int) -> bool:
        try:
            if number % 2:
                approve_version(version, by=staff[number])
            else:
                reject_version(version, by=staff[number], reason=f"Reason {number}")
        except RuleViolation:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        decided = list(pool.map(decide, range(8)))

    version.refresh_from_db()
    assert sum(decided) == 1
    assert version.decided_by == staff[decided.index(True)]
    assert len(mail.outbox) == 1
