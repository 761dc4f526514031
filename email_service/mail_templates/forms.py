"""The form 新建模板."""

import unicodedata

from django import forms
from django.utils.translation import gettext_lazy as _

from email_service.mail_templates.models import BodyType, TemplateVersion

MAX_TITLE = 64


class TemplateForm(forms.Form):
    title = forms.CharField(
        label=_("Template title"),
        max_length=MAX_TITLE,
        help_text=_("At most 64 characters."),
        error_messages={"required": _("Enter a title.")},
    )
    body_type = forms.ChoiceField(
        label=_("Body type"),
        choices=BodyType.choices,
        initial=BodyType.RICH,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    body = forms.CharField(
        label=_("Mail body"),
        strip=False,
        error_messages={"required": _("Write the mail body, or upload an HTML file.")},
        widget=forms.Textarea(
            attrs={"rows": 22, "spellcheck": "false", "data-editor": "body", "class": "template-body"}
        ),
        help_text=_(
            "At most 256 KB. Write a parameter as {{name}}: a letter first, then letters, digits and underscores; "
            "at most 15 different ones. They are filled in for each recipient."
        ),
    )
    can_unsubscribe = forms.BooleanField(
        label=_("Support unsubscribing"),
        required=False,
        help_text=_(
            "Adds an unsubscribe link to the end of the mail. Without it the template counts as transactional: use it "
            "for orders, codes and notices only. Large mailbox providers require one-click unsubscribing on marketing "
            "mail and send the rest to the spam folder."
        ),
    )

    def clean_title(self) -> str:
        """A title is one line that people read: no control characters, nothing that turns text around."""
        title = self.cleaned_data["title"].strip()
        if any(unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") for char in title):
            raise forms.ValidationError(_("The title holds invisible control characters. Type it again."))
        return title

    @staticmethod
    def initial_of(version: TemplateVersion | None) -> dict[str, object]:
        """Return what the form shows of a version that is edited or copied."""
        if version is None:
            return {}
        return {
            "title": version.title,
            "body_type": version.body_type,
            "body": version.body,
            "can_unsubscribe": version.can_unsubscribe,
        }
