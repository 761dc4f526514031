"""What a report is asked for: its kind and its range, read from the address."""

from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.reports.periods import Kind, Span, default_range, earliest

_DATE_ERRORS = {"required": _("Choose a day."), "invalid": _("Enter a day such as 2024-08-16.")}


def _day_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=_DATE_ERRORS,
    )


class ReportForm(forms.Form):
    """报表类型 and range; without a range, or with the range of another kind, the kind's own default."""

    kind = forms.ChoiceField(label=_("Report type"), choices=Kind.choices)
    first = _day_field(_("First day"))
    last = _day_field(_("Last day"))

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
