"""The filter bar of every list: one search box, and the fields of 高级搜索 behind it."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _


class FilterForm(forms.Form):
    """A list's filters, read from the address; an odd value is shown as an error and filters nothing.

    The first field is the search box; all others are 高级搜索. Subclasses add fields and `narrow()`.
    """

    last_fields: tuple[str, ...] = ()

    def __init__(self, query: QueryDict) -> None:
        # Ids of their own: a form in the dialog above the list may have a field of the same name.
        super().__init__(query, auto_id="filter_%s")
        for name in self.last_fields:
            self.fields[name] = self.fields.pop(name)
        for field in self.fields.values():
            field.required = False
        self.is_valid()

    def value(self, name: str) -> Any:
        """Return the cleaned value, None where it is empty or odd."""
        return self.cleaned_data.get(name) or None

    @property
    def search_field(self) -> forms.BoundField:
        return self[next(iter(self.fields))]

    @property
    def advanced_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in list(self.fields)[1:]]

    @property
    def is_advanced(self) -> bool:
        """True where a field of 高级搜索 is filled in, so that the panel stands open."""
        return any(str(self.data.get(field.html_name, "")).strip() for field in self.advanced_fields)

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Return the rows that the filled-in fields let through."""
        raise NotImplementedError


def moment_field(label: Any) -> forms.DateTimeField:
    """Return a date-and-time field in the browser's own picker, read in the account's time zone."""
    return forms.DateTimeField(
        label=label,
        input_formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
        error_messages={"invalid": _("Enter a date and time such as 2024-08-16 17:00:00.")},
    )


class CreatedRangeForm(FilterForm):
    """A filter form with 创建时间 from and to, both inclusive; subclasses' own fields come first."""

    created_from = moment_field(_("Created from"))
    created_to = moment_field(_("Created to"))

    last_fields = ("created_from", "created_to")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("created_from"), cleaned.get("created_to")
        if start and end and start > end:
            self.add_error("created_to", _("The end lies before the start; swap the two."))
        return cleaned

    def within(self, rows: models.QuerySet[Any], field: str = "created_at") -> models.QuerySet[Any]:
        """Keep the rows whose time lies in the chosen range."""
        if self.value("created_from"):
            rows = rows.filter(**{f"{field}__gte": self.value("created_from")})
        if self.value("created_to"):
            # The second that is shown is inclusive, whatever fraction of it the row has.
            rows = rows.filter(**{f"{field}__lt": self.value("created_to") + timedelta(seconds=1)})
        return rows
