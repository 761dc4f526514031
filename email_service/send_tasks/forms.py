"""新建发送任务: what was typed, tidied; every limit is judged again by the service."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.addresses.models import Address
from email_service.mail_templates.models import Template
from email_service.send_tasks import limits, queries
from email_service.send_tasks.forms_fields import (
    DueField,
    FilesField,
    FilesInput,
    TemplateField,
    addresses_in,
    on_one_line,
)
from email_service.send_tasks.models import Task
from iam.models import Tenant

# The chosen file stays in the form when an answer replaces it around it.
KEPT = {"hx-preserve": "true"}
RADIO = {"class": "form-check-input"}


class MailForm(forms.Form):
    """What a mail is made of; without files, for its preview and for a test mail."""

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

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["template"].queryset = queries.sendable_templates(tenant)  # type: ignore[attr-defined]
        self.fields["address"].queryset = queries.usable_addresses(tenant)  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return on_one_line(self.cleaned_data["name"])

    def clean_subject(self) -> str:
        return on_one_line(self.cleaned_data["subject"])


class TaskForm(MailForm):
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
    due_at = DueField(label=_("Send at"), required=False)
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
            attrs={
                "rows": 4,
                "data-chips": str(limits.MAX_TYPED),
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
        help_text=_("At most 10, separated by Enter, commas or spaces. For more, upload a file."),
    )
    file = forms.FileField(
        label=_("Recipient file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".xlsx", **KEPT}),
        help_text=_("An .xlsx file of at most 40 MB, one recipient a row; the first row names the columns."),
    )
    submission_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, tenant=tenant, **kwargs)
        due = self.fields["due_at"]
        due.limit()  # type: ignore[attr-defined]
        due.help_text = _("In the account's time zone, %(zone)s; within one year.") % {
            "zone": timezone.get_current_timezone_name()
        }

    def clean_recipients(self) -> Sequence[str]:
        return addresses_in(self.cleaned_data["recipients"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("send_type") == Task.SendType.NOW:
            # The hour belongs to the other choice, and its field is out of sight.
            self.errors.pop("due_at", None)
            cleaned["due_at"] = None
        return cleaned


class TestMailForm(MailForm):
    """The mail as it is chosen now, to be sent to oneself; `values` are the sample values by parameter."""

    test_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The task may still be without a name.
        del self.fields["name"]


class MailToSelfForm(forms.Form):
    subject = forms.CharField(
        label=_("Mail subject"),
        max_length=200,
        required=False,
        help_text=_("Optional; if you leave it empty, it is “Test mail from the console”."),
    )
    submission_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def clean_subject(self) -> str:
        return on_one_line(self.cleaned_data["subject"])
