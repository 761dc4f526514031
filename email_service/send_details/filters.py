"""The filters of 发送明细: the created range in front, everything else behind 高级搜索."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from email_service.send_details.models import Message
from koomessage.common.filters import CreatedRangeForm

# What is asked of tasks becomes a list of ids where it is short: the messages' own indexes then find the rest.
_FEW = 500
_OF_TASKS = {
    "task_name": "name__icontains",
    "task_code": "code__iexact",
    "template_title": "template_title__icontains",
    "template_code": "template_code__iexact",
    "subject": "subject__icontains",
    "sender": "sender__icontains",
    "domain": "sender__iendswith",
    "method": "method",
}
# What reports count together, beside the single states.
GROUPS: dict[str, tuple[str, ...]] = {
    "sent": tuple(status for status in Message.Status if status != Message.Status.CANCELLED),
    "failed_all": (Message.Status.FAILED, Message.Status.EXPIRED),
    "pending_all": (Message.Status.PENDING, Message.Status.HELD),
}
_STATUS_CHOICES = [
    ("", _("All")),
    *Message.Status.choices,
    ("sent", _("All but cancelled")),
    ("failed_all", _("Failed or expired")),
    ("pending_all", _("Pending or state unknown")),
]


def tasks_matching(tenant: models.Model, wanted: Mapping[str, Any]) -> models.QuerySet[Any]:
    """Return the account's tasks that have what is wanted of them, by the names of this form's fields."""
    lookups = {_OF_TASKS[name]: value for name, value in wanted.items()}
    sender = wanted.get("sender", "")
    # A whole address means that one, and not those that end like it.
    if "." in sender.partition("@")[2]:
        lookups["sender__iexact"] = lookups.pop("sender__icontains")
    if "domain" in wanted:
        lookups["sender__iendswith"] = f"@{wanted['domain']}"
    return apps.get_model("email_service", "Task").objects.for_tenant(tenant).filter(**lookups).order_by()


def _method_choices() -> list[tuple[str, Any]]:
    field = Message._meta.get_field("task").related_model._meta.get_field("method")
    return [("", _("All")), *field.choices]  # type: ignore[union-attr,misc]


class MessageFilter(CreatedRangeForm):
    message = forms.IntegerField(
        label=_("Message ID"),
        min_value=1,
        max_value=2**63 - 1,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": _("A message ID holds digits only.")},
    )
    task_name = forms.CharField(label=_("Task name"), max_length=64)
    task_code = forms.CharField(label=_("Task ID"), max_length=12)
    template_title = forms.CharField(label=_("Template name"), max_length=64)
    template_code = forms.CharField(label=_("Template ID"), max_length=12)
    subject = forms.CharField(
        label=_("Subject"), max_length=200, help_text=_("As it was written in the task.")
    )
    sender = forms.CharField(label=_("Sender"), max_length=131)
    recipient = forms.CharField(
        label=_("Recipient"), max_length=320, help_text=_("A whole address is found fastest; a part will do.")
    )
    domain = forms.CharField(label=_("Sending domain"), max_length=66)
    status = forms.ChoiceField(label=_("Sending status"), choices=_STATUS_CHOICES)
    method = forms.ChoiceField(label=_("Method"), choices=_method_choices)

    range_names = ("created_from", "created_to")

    @property
    def range_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.range_names]

    @property
    def advanced_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in self.range_names]

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        rows = self.within(rows, "accepted_at")
        if self.value("message"):
            rows = rows.filter(pk=self.value("message"))
        if self.value("status"):
            status = self.value("status")
            rows = rows.filter(status__in=GROUPS.get(status, (status,)))
        if self.value("recipient"):
            rows = rows.to_recipient(self.value("recipient"))  # type: ignore[attr-defined]
        return rows

    def narrow_for(self, rows: models.QuerySet[Any], tenant: models.Model) -> models.QuerySet[Any]:
        """Return the account's messages that all filters let through."""
        rows = self.narrow(rows)
        wanted = {name: self.value(name) for name in _OF_TASKS if self.value(name)}
        if not wanted:
            return rows
        tasks = tasks_matching(tenant, wanted)
        ids = list(tasks.values_list("pk", flat=True)[: _FEW + 1])
        if len(ids) > _FEW:
            return rows.filter(task__in=tasks.values("pk"))
        return rows.filter(task__in=ids)
