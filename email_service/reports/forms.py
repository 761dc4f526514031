"""What a report is asked for: its kind, its range and which tasks, read from the address."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from email_service.domains import names
from email_service.reports import tables
from email_service.reports.periods import PRESETS, Kind, Span, default_range, earliest, preset
from koomessage.common.errors import RuleViolation

_DATE_ERRORS = {"required": _("Choose a day."), "invalid": _("Enter a day such as 2024-08-16.")}
_CODE = re.compile(r"[A-Za-z]\d{8}")
FILTERS = ("domain", "sender", "template", "task")


def _day_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=_DATE_ERRORS,
    )


def _task_field(label: Any, name: str, most: int) -> forms.CharField:
    """Return a field that proposes what the account has; what is there no more can be typed."""
    widget = forms.TextInput(attrs={"list": f"report-{name}", "autocomplete": "off"})
    return forms.CharField(label=label, max_length=most, required=False, widget=widget)


@dataclass(frozen=True)
class Choice:
    """A preset range as a link."""

    label: Promise
    query: str
    is_current: bool


class ReportForm(forms.Form):
    """报表类型, range and filters; without a range, or with the range of another kind, the kind's own default."""

    kind = forms.ChoiceField(label=_("Report type"), choices=Kind.choices)
    first = _day_field(_("First day"))
    last = _day_field(_("Last day"))
    domain = _task_field(_("Sending domain"), "domains", 253)
    sender = _task_field(_("Sender"), "senders", 131)
    template = _task_field(_("Template name or ID"), "templates", 64)
    task = _task_field(_("Task name or ID"), "tasks", 64)

    def __init__(self, query: QueryDict) -> None:
        self.today = timezone.localdate()
        values = query.copy()
        kind = values.get("kind", "")
        if kind not in Kind.values:
            kind = values["kind"] = Kind.HOUR
        # The range was chosen for the kind shown with it; another kind begins with a range that suits it.
        if values.get("shown", kind) != kind or not (values.get("first") or values.get("last")):
            values["first"], values["last"] = (str(day) for day in default_range(kind, self.today))
        super().__init__(values)
        for name in ("first", "last"):
            self.fields[name].widget.attrs |= {"min": str(earliest(self.today)), "max": str(self.today)}

    def clean_domain(self) -> str:
        text: str = self.cleaned_data["domain"]
        try:
            return names.normalise(text) if text else ""
        except RuleViolation as refusal:
            raise forms.ValidationError(str(refusal.message)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("first", "last"):
            self._check_year(name, cleaned.get(name))
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("The end lies before the start; swap the two."))
        return cleaned

    def _check_year(self, name: str, day: date | None) -> None:
        if day and not earliest(self.today) <= day <= self.today:
            self.add_error(
                name,
                _("Choose a day from %(first)s to %(last)s: reports show the past year.")
                % {"first": earliest(self.today), "last": self.today},
            )

    @property
    def tab(self) -> str:
        return tables.RECEPTION if self.data.get("tab") == tables.RECEPTION else tables.SENDING

    @property
    def span(self) -> Span | None:
        """The span asked for; None where it makes no sense."""
        if not self.is_valid():
            return None
        return Span(
            Kind(self.cleaned_data["kind"]),
            self.cleaned_data["first"],
            self.cleaned_data["last"],
            timezone.get_current_timezone(),
        )

    @property
    def wanted(self) -> dict[str, str]:
        """What is wanted of tasks, by the names that 发送明细 has for it: an ID is told from a name by its form."""
        given = {name: self.cleaned_data.get(name, "") for name in FILTERS}
        found = {"domain": given["domain"], "sender": given["sender"]}
        for name, by_name in (("template", "template_title"), ("task", "task_name")):
            found[f"{name}_code" if _CODE.fullmatch(given[name]) else by_name] = given[name]
        return {name: text for name, text in found.items() if text}

    @property
    def hidden(self) -> str:
        """What the chart's legend hides, by the names of colours, with commas between."""
        tones = str(self.data.get("hide", "")).split(",")
        return ",".join(tone for tone in tones if tables.is_tone(self.tab, tone))

    @property
    def has_filters(self) -> bool:
        return any(self.data.get(name) for name in FILTERS)

    @property
    def filter_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FILTERS]

    def query(self, **changes: str) -> str:
        """Return this report's query with some of it changed; an empty value leaves it out."""
        own = {
            "tab": self.tab,
            **{name: self.data.get(name, "") for name in self.fields},
            "hide": self.hidden,
        }
        return urlencode({name: value for name, value in {**own, **changes}.items() if value})

    @property
    def current_query(self) -> str:
        return self.query()

    @property
    def unfiltered_query(self) -> str:
        return self.query(**dict.fromkeys(FILTERS, ""))

    @property
    def tabs(self) -> list[Choice]:
        return [
            Choice(label, self.query(tab=name, hide=""), name == self.tab)
            for name, label in tables.TABS.items()
        ]

    @property
    def presets(self) -> list[Choice]:
        shown = self.data["first"], self.data["last"]
        ranges = {name: tuple(map(str, preset(name, self.today))) for name in PRESETS}
        return [
            Choice(label, self.query(first=ranges[name][0], last=ranges[name][1]), ranges[name] == shown)
            for name, label in PRESETS.items()
        ]
