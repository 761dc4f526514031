"""Forms of 权限管理: users, groups, custom policies."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from iam.forms import PASSWORD_HINT, MailboxField, NewPasswordForm, password_field
from iam.models import User, name_validator
from iam.queries import Choices


def rows_field(label: Any, hint: Any = "") -> forms.TypedMultipleChoiceField:
    """Return check boxes, one a row; the view gives the rows."""
    boxes = forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
    return forms.TypedMultipleChoiceField(
        label=label, coerce=int, required=False, widget=boxes, help_text=hint
    )


class BindingForm(forms.Form):
    """Groups and policies of a user."""

    groups = rows_field(_("User groups"), _("The user holds the policies of its groups."))
    policies = rows_field(_("Policies"), _("Given to this user directly. A new user can do nothing."))

    def __init__(self, *args: Any, groups: Choices, policies: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["groups"].choices = groups  # type: ignore[attr-defined]
        self.fields["policies"].choices = policies  # type: ignore[attr-defined]


class UserAddForm(BindingForm, NewPasswordForm):
    name = forms.CharField(
        label=_("User name"),
        max_length=32,
        validators=[name_validator],
        help_text=_("3 to 32 letters, digits, dots, hyphens or underscores."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    email = MailboxField(label=_("E-mail"), max_length=254)
    password = password_field(_("Password"), is_new=True, hint=PASSWORD_HINT)
    password_again = password_field(_("Password again"), is_new=True)
    field_order = ["name", "email", "password", "password_again", "groups", "policies"]

    def person(self, cleaned: dict[str, Any]) -> User | None:
        return User(
            login=cleaned.get("name", ""), name=cleaned.get("name", ""), email=cleaned.get("email", "")
        )


class UserEditForm(BindingForm):
    email = MailboxField(label=_("E-mail"), max_length=254)
    field_order = ["email", "groups", "policies"]


class GroupForm(forms.Form):
    name = forms.CharField(label=_("Group name"), max_length=64)
    description = forms.CharField(label=_("Description"), max_length=255, required=False)
    policies = rows_field(_("Policies"), _("Every user of the group holds them."))
    members = rows_field(_("Users"))

    def __init__(self, *args: Any, policies: Choices, members: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policies"].choices = policies  # type: ignore[attr-defined]
        self.fields["members"].choices = members  # type: ignore[attr-defined]


class PolicyForm(forms.Form):
    name = forms.CharField(label=_("Policy name"), max_length=64)
    description = forms.CharField(label=_("Description"), max_length=255, required=False)
    document = forms.CharField(
        label=_("JSON view"),
        max_length=20_000,
        strip=False,
        help_text=_("At most 8 statements of 100 actions each, 10 conditions a statement, 6,144 bytes."),
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "class": "font-monospace"}),
    )
