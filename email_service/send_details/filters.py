"""The filters of 发送明细: the created range in front, everything else behind 高级搜索."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.apps import apps
from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from email_service.send_details.finding import Rows, Search, as_they_are
from email_service.send_details.models import Message, is_whole_address
from email_service.send_details.ranges import Range, bounds
from koomessage.common.filters import CreatedRangeForm

_OF_TASKS = {
    "task_name": "name__icontains",
    "task_code": "code",  # an index has them, in upper case
    "template_title": "template_title__icontains",
    "template_code": "template_code__iexact",
    "subject": "subject__icontains",
    "sender": "sender__icontains",
    "domain": "sender__iendswith",
    "method": "method",
}
# These lead to few rows whenever they were sent: they are not bound to today.
_TIMELESS = ("message", "task_code")
SHORTEST_PART = 3
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
    if "code" in lookups:
        lookups["code"] = lookups["code"].upper()
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


@dataclass(frozen=True)
class Chip:
    """A filter in force: what it says, and the query of the list without it."""

    label: str | Promise
    value: str | Promise
    query: str


@dataclass(frozen=True)
class Preset:
    """A range of time to choose."""

    name: str
    label: str | Promise
    is_chosen: bool


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
        label=_("Recipient"), max_length=320, help_text=_("A whole address, or at least 3 characters of it.")
    )
    domain = forms.CharField(label=_("Sending domain"), max_length=66)
    status = forms.ChoiceField(label=_("Sending status"), choices=_STATUS_CHOICES)
    method = forms.ChoiceField(label=_("Method"), choices=_method_choices)
    range = forms.ChoiceField(label=_("Created"), choices=Range.choices)

    range_names = ("created_from", "created_to")

    @property
    def range_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.range_names]

    @property
    def advanced_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in (*self.range_names, "range")]

    def clean_recipient(self) -> str:
        text = self.cleaned_data["recipient"].lower()
        if 0 < len(text) < SHORTEST_PART:
            raise forms.ValidationError(_("Type at least 3 characters of the address."))
        return text

    @cached_property
    def is_timeless(self) -> bool:
        """True where all time is searched rather than today: what is asked leads to few rows."""
        return self._asked_range == Range.TODAY and (
            any(self.value(name) for name in _TIMELESS) or is_whole_address(self.value("recipient") or "")
        )

    @cached_property
    def chosen_range(self) -> str:
        return Range.ALL if self.is_timeless else self._asked_range

    @property
    def _asked_range(self) -> str:
        if self.value("range"):
            return str(self.value("range"))
        return Range.CUSTOM if any(self.value(name) for name in self.range_names) else Range.TODAY

    @property
    def presets(self) -> list[Preset]:
        return [Preset(name, label, name == self._asked_range) for name, label in Range.choices]

    @property
    def states(self) -> tuple[str, ...]:
        """The states asked for, none where all are."""
        status = self.value("status")
        return GROUPS.get(status, (status,)) if status else ()

    @property
    def moments(self) -> tuple[datetime | None, datetime | None]:
        """The first and the last moment that are shown; None: open."""
        if self.chosen_range == Range.CUSTOM:
            # Typed to the second, which is meant to its end.
            end = self.value("created_to")
            return self.value("created_from"), end and end.replace(microsecond=999_999)
        return bounds(self.chosen_range)

    @property
    def is_narrowed(self) -> bool:
        """True where the reader asks for less than the list shows by itself."""
        return bool(self.chips) or self.chosen_range not in (Range.TODAY, Range.ALL)

    @cached_property
    def chips(self) -> list[Chip]:
        """The filters in force but for the range, each with the list's address without it."""
        found = []
        for field in self.advanced_fields:
            value = self.value(field.name)
            if value:
                choices = dict(getattr(field.field, "choices", ()))
                query = self._query_without(field.html_name)
                found.append(Chip(field.label, choices.get(value, str(value)), query))
        return found

    @property
    def range_label(self) -> str:
        """The range in words; a range of one's own by its moments."""
        if self.chosen_range != Range.CUSTOM:
            return str(Range(self.chosen_range).label)
        start, end = (moment and f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" for moment in self.moments)
        return f"{start or '…'} – {end or '…'}" if start or end else str(Range.ALL.label)

    @property
    def all_time_query(self) -> str:
        data = self._query_without(*self.range_names, as_dict=True)
        data["range"] = Range.ALL
        return data.urlencode()

    @property
    def lasting_query(self) -> str:
        """The search as a query that means the same tomorrow: the range by its moments."""
        data = self._query_without("range", *self.range_names, as_dict=True)
        start, end = self.moments
        data["range"] = Range.CUSTOM if start or end else Range.ALL
        for name, moment in (("created_from", start), ("created_to", end)):
            if moment:
                data[name] = timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S")
        return data.urlencode()

    def _query_without(self, *names: str, as_dict: bool = False) -> Any:
        data: QueryDict = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which forms call a mapping
        for name in ("after", "before", *names):
            data.pop(name, None)
        for name in [name for name, value in data.items() if not str(value).strip()]:
            del data[name]
        return data if as_dict else data.urlencode()

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        start, end = self.moments
        if start:
            rows = rows.filter(accepted_at__gte=start)
        if end:
            rows = rows.filter(accepted_at__lte=end)
        if self.value("message"):
            rows = rows.filter(pk=self.value("message"))
        if self.value("status"):
            rows = rows.filter(status__in=self.states)
        return rows

    def narrow_for(self, rows: models.QuerySet[Any], tenant: models.Model) -> models.QuerySet[Any]:
        """Return the account's messages that all filters let through."""
        return self.search(rows, tenant).narrowed

    def search(
        self, rows: Rows, tenant: models.Model, *, dress: Callable[[Rows], Rows] = as_they_are
    ) -> Search:
        """Return how the account's messages that all filters let through are found; `dress` adds what is shown."""
        rows, part = self.narrow(rows), ""
        if recipient := self.value("recipient"):
            if is_whole_address(recipient):
                rows = rows.filter(recipient_key=recipient)
            else:
                part = recipient
        return Search(
            tenant.pk,
            rows,
            tasks=self._tasks_of(tenant),
            states=self.states,
            part=part,
            dress=dress,
        )

    def _tasks_of(self, tenant: models.Model) -> models.QuerySet[Any] | None:
        """Return the tasks whose messages are asked for, None where they may be any task's."""
        wanted = {name: self.value(name) for name in _OF_TASKS if self.value(name)}
        if wanted:
            return tasks_matching(tenant, wanted).order_by("-created_at")
        if Message.Status.PENDING in self.states and self.value("status") != "sent":
            tasks = tasks_matching(tenant, {}).order_by("-created_at")
            # What still waits belongs to few tasks: no walk through all that was sent since.
            return tasks.filter(
                models.Q(pk__in=tasks.unfinished().values("pk")) | models.Q(pending_count__gt=0)  # type: ignore[attr-defined]
            )
        return None
