"""Fields of the forms of 发送任务."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.send_tasks import limits
from koomessage.common.filters import moment_field

# What Django reads a time in while it asks no questions about it; told apart from an offset somebody typed.
_UNASKED = ZoneInfo("UTC")


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of uploaded files, as a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files if file]


class TemplateField(forms.ModelChoiceField):
    def label_from_instance(self, row: Any) -> str:
        return (
            f"{row.title} · {row.code}" if row.tenant_id else _("%(title)s · public") % {"title": row.title}
        )


class DueField(forms.DateTimeField):
    """A date and time as the clocks of the account's time zone show it.

    An hour that they skip when they go forward is refused; of one that they show twice when they go back,
    the first is meant.
    """

    def __init__(self, **kwargs: Any) -> None:
        picker = moment_field("")
        super().__init__(
            input_formats=picker.input_formats,
            widget=picker.widget,
            error_messages={"invalid": picker.error_messages["invalid"]},
            **kwargs,
        )

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(_UNASKED):
            moment = super().to_python(value)
        if moment is None or moment.tzinfo is not _UNASKED:
            return moment
        local = moment.replace(tzinfo=timezone.get_current_timezone(), fold=0)
        try:
            shown = local.astimezone(_UNASKED).astimezone(local.tzinfo)
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        if shown.replace(tzinfo=None) != local.replace(tzinfo=None):
            sentence = _(
                "The clocks in %(zone)s go forward and skip this time; choose one an hour earlier or later."
            )
            raise forms.ValidationError(
                sentence, code="skipped", params={"zone": timezone.get_current_timezone_name()}
            )
        return local

    def limit(self) -> None:
        """Let the browser's picker offer nothing but what the service takes: from now on, for a year."""
        now = timezone.localtime()
        last = now + timedelta(days=limits.MOST_DAYS_AHEAD)
        self.widget.attrs.update({"min": _shown(now), "max": _shown(last)})


def addresses_in(text: str) -> Sequence[str]:
    """Split at line ends, commas, semicolons and spaces, also those of Chinese, as people paste lists."""
    for mark in ",;，；、":
        text = text.replace(mark, " ")
    return text.split()


def on_one_line(text: str) -> str:
    if not text.isprintable():
        raise forms.ValidationError(_("Leave out line breaks and other control characters."))
    return text


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
