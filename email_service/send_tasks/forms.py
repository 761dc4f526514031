"""新建发送任务: what was typed, tidied; every limit is judged again by the service."""

import re
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.mail_templates.models import Template
from email_service.send_tasks import queries
from email_service.send_tasks.models import Task
from iam.models import Tenant
from koomessage.common.filters import moment_field


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


# The chosen file stays in the form when an answer replaces it around it.
KEPT = {"hx-preserve": "true"}
RADIO = {"class": "form-check-input"}


class TaskForm(forms.Form):
    name = forms.CharField(label=_("Task name"), max_length=64)
    subject = forms.CharField(
        label=_("Mail subject"),
        max_length=200,
        help_text=_("Match it to the body. It may hold the template's parameters, such as {{name}}."),
    )
    template = TemplateField(
        label=_("Mail template"), queryset=Template.objects.none(), empty_label=_("Choose a template")
    )
    address = forms.ModelChoiceField(
        label=_("Sender"), queryset=Address.objects.none(), empty_label=_("Choose a sender address")
    )
    attachments = FilesField(
        label=_("Mail attachments"),
        required=False,
        widget=FilesInput(attrs={"multiple": True, **KEPT}),
        help_text=_("At most 10 files, 4 MB in total."),
    )
    drops_attachments = forms.BooleanField(label=_("Send without them"), required=False)
    send_type = forms.ChoiceField(
        label=_("Send type"),
        choices=Task.SendType.choices,
        widget=forms.RadioSelect(attrs=RADIO),
        initial=Task.SendType.NOW,
    )
    due_at = moment_field(_("Send at"))
    source = forms.ChoiceField(
        label=_("Recipient list"),
        choices=Task.OFFERED,
        widget=forms.RadioSelect(attrs=RADIO),
        initial=Task.Source.MANUAL,
    )
    recipients = forms.CharField(
        label=_("E-mail addresses"),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 4, "data-chips": "10", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_("At most 10, one a line. For more, upload a file."),
    )
    file = forms.FileField(
        label=_("Recipient file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".xlsx", **KEPT}),
        help_text=_("An .xlsx file of at most 40 MB, one recipient a row; the first row names the columns."),
    )
    submission_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["template"].queryset = queries.sendable_templates(tenant)  # type: ignore[attr-defined]
        self.fields["address"].queryset = queries.usable_addresses(tenant)  # type: ignore[attr-defined]
        due = self.fields["due_at"]
        due.required = False
        due.help_text = _("In the account's time zone, %(zone)s; within one year.") % {
            "zone": timezone.get_current_timezone_name()
        }

    def clean_name(self) -> str:
        return _on_one_line(self.cleaned_data["name"])

    def clean_subject(self) -> str:
        return _on_one_line(self.cleaned_data["subject"])

    def clean_recipients(self) -> Sequence[str]:
        """Split at line ends, commas, semicolons and spaces, as people paste lists."""
        return [text for text in re.split(r"[\s,;，；、]+", self.cleaned_data["recipients"]) if text]


class MailToSelfForm(forms.Form):
    subject = forms.CharField(
        label=_("Mail subject"),
        max_length=200,
        required=False,
        help_text=_("Optional; if you leave it empty, it is “Test mail from the console”."),
    )
    submission_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def clean_subject(self) -> str:
        return _on_one_line(self.cleaned_data["subject"])


def _on_one_line(text: str) -> str:
    if not text.isprintable():
        raise forms.ValidationError(_("Leave out line breaks and other control characters."))
    return text
