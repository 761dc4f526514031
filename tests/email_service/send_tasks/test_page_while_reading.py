"""A task's page while its recipient file is read."""

import pytest
from django.test import Client
from django.urls import reverse

from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.factories_sending import make_task

pytestmark = pytest.mark.django_db
FRAGMENT = {"HTTP_HX_REQUEST": "true"}


def test_the_page_is_shown_anew_once_its_file_is_read_and_rows_became_no_mail(
    acme: Tenant, as_owner: Client
) -> None:
    task = make_task(acme, status=Task.Status.PREPARING, is_read=False, source=Task.Source.FILE)
    address = reverse("email:task_progress", args=[task.pk])
    assert f'hx-get="{address}?reading"' in as_owner.get(task.get_absolute_url()).content.decode()
    assert "HX-Refresh" not in as_owner.get(f"{address}?reading", **FRAGMENT)

    Task.objects.filter(pk=task.pk).update(status=Task.Status.SENDING, is_read=True, accepted_count=1)
    assert "HX-Refresh" not in as_owner.get(f"{address}?reading", **FRAGMENT), "nothing was left out"

    Task.objects.filter(pk=task.pk).update(bad_count=1)
    assert as_owner.get(f"{address}?reading", **FRAGMENT)["HX-Refresh"] == "true"
    assert "HX-Refresh" not in as_owner.get(address, **FRAGMENT)
