"""A task's page while its recipient file is read."""

import pytest
from django.test import Client
from django.urls import reverse

from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db
FRAGMENT = {"HTTP_HX_REQUEST": "true"}


def test_rows_that_became_no_mail_are_shown_once_the_file_is_read(acme: Tenant, as_owner: Client) -> None:
    task = make_task(acme, status=Task.Status.PREPARING, is_read=False, source=Task.Source.FILE)
    address = reverse("email:task_progress", args=[task.pk])
    page = as_owner.get(task.get_absolute_url()).content.decode()
    assert f'hx-get="{address}?reading"' in page and 'hx-trigger="task-read from:body"' in page
    assert "HX-Trigger" not in as_owner.get(f"{address}?reading", **FRAGMENT)

    Task.objects.filter(pk=task.pk).update(status=Task.Status.SENDING, is_read=True, accepted_count=1)
    assert "HX-Trigger" not in as_owner.get(f"{address}?reading", **FRAGMENT), "nothing was left out"

    Task.objects.filter(pk=task.pk).update(bad_count=1)
    assert as_owner.get(f"{address}?reading", **FRAGMENT)["HX-Trigger"] == '{"task-read": {}}'
    assert "HX-Trigger" not in as_owner.get(address, **FRAGMENT)
