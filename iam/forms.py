"""Forms of signing in, signing up and passwords, of an account's papers and of its settings."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from iam import registration
from iam.licences import judge_licence
from iam.models import Tenant, User, name_validator, time_zones
from koomessage.common.errors import RuleViolation
from koomessage.common.mailbox import BadAddress, normalise

PASSWORD_HINT = _(
    "At least 10 characters: not only digits, no common password, nothing close to your name or e-mail."
)
REQUIRED_NAME = _("Enter the user name.")


class MailboxField(forms.CharField):
    """An e-mail address, judged as everywhere in the console."""

    widget = forms.EmailInput(attrs={"autocomplete": "email"})

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return normalise(text).address if text else ""
        except BadAddress as error:
            raise forms.ValidationError(_("Enter an e-mail address such as name@example.com.")) from error


def password_field(label: Any, *, is_new: bool = False, hint: Any = "") -> forms.CharField:
    """Return a password field as written, spaces and all; browsers learn whether it is a new one."""
    attrs = {"autocomplete": "new-password" if is_new else "current-password"}
    widget = forms.PasswordInput(attrs=attrs)
    return forms.CharField(label=label, strip=False, max_length=256, widget=widget, help_text=hint)


class LoginForm(forms.Form):
    """Three fields for `account/user` and the password; the whole login in one of the first two will do."""

    account = forms.CharField(
        label=_("Account name"),
        max_length=65,
        required=False,
        help_text=_("Leave empty if you work for the platform."),
        widget=forms.TextInput(
            attrs={"autocomplete": "organization", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=65,
        required=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = password_field(_("Password"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        account, name = (
            cleaned.get(field, "").replace("／", "/").lower().strip(" /") for field in ("account", "username")
        )
        if "/" in account and not name:
            cleaned["login"] = account
        elif not name:
            self.add_error("username", REQUIRED_NAME)
        else:
            cleaned["login"] = name if "/" in name or not account else f"{account}/{name}"
        return cleaned


class NewPasswordForm(forms.Form):
    """A new password, twice; `user` is who it is for, so that it cannot repeat the name."""

    password = password_field(_("New password"), is_new=True, hint=PASSWORD_HINT)
    password_again = password_field(_("New password again"), is_new=True)

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def person(self, cleaned: dict[str, Any]) -> User | None:
        """Return whom the password may not resemble."""
        return self.user

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        password, again = cleaned.get("password"), cleaned.pop("password_again", None)
        if password and again is not None and password != again:
            self.add_error("password_again", _("The two passwords differ; enter the same one twice."))
        if password:
            try:
                validate_password(password, self.person(cleaned))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class PasswordChangeForm(NewPasswordForm):
    current_password = password_field(_("Current password"))
    field_order = ["current_password", "password", "password_again"]

    def clean_current_password(self) -> str:
        if self.user is None or not self.user.check_password(self.cleaned_data["current_password"]):
            raise forms.ValidationError(_("This is not your current password."))
        return self.cleaned_data["current_password"]


class EmailForm(forms.Form):
    email = MailboxField(label=_("E-mail"), max_length=254)


class SignUpForm(NewPasswordForm):
    account = forms.CharField(
        label=_("Account name"),
        max_length=32,
        validators=[name_validator],
        help_text=_(
            "3 to 32 letters, digits, dots, hyphens or underscores; unique. All your users sign in with it."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "organization", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    enterprise_name = forms.CharField(label=_("Enterprise name"), max_length=128)
    user_name = forms.CharField(
        label=_("Your user name"),
        max_length=32,
        required=False,
        validators=[name_validator],
        help_text=_("Of the main account; the account name where you leave this empty."),
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    email = MailboxField(label=_("E-mail"), max_length=254)
    password = password_field(_("Password"), is_new=True, hint=PASSWORD_HINT)
    password_again = password_field(_("Password again"), is_new=True)
    field_order = ["account", "enterprise_name", "user_name", "email", "password", "password_again"]

    def person(self, cleaned: dict[str, Any]) -> User | None:
        return User(
            login=cleaned.get("account", ""),
            name=cleaned.get("user_name", ""),
            email=cleaned.get("email", ""),
        )

    def clean_account(self) -> str:
        return self.cleaned_data["account"].lower()


class VerificationForm(forms.Form):
    company_name = forms.CharField(
        label=_("Company name"),
        max_length=128,
        min_length=2,
        help_text=_("As written on the business licence."),
    )
    registration_number = forms.CharField(
        label=_("Unified social credit code"),
        max_length=64,
        help_text=_("18 characters, on the business licence."),
    )
    licence = forms.FileField(
        label=_("Business licence"),
        help_text=_("A JPG or PNG picture or a PDF file of at most 5 MB. Only you and our staff can see it."),
        widget=forms.FileInput(attrs={"accept": ".jpg,.jpeg,.png,.pdf"}),
    )
    contact_name = forms.CharField(label=_("Contact"), max_length=64)
    contact_phone = forms.RegexField(
        r"^\+?[0-9][0-9 -]{5,24}$",
        label=_("Contact phone"),
        max_length=32,
        error_messages={
            "invalid": _("Enter a phone number of digits, such as 13800138000 or +86 10 8888 8888.")
        },
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )

    def clean_registration_number(self) -> str:
        try:
            return registration.read_number(self.cleaned_data["registration_number"])
        except RuleViolation as refusal:
            raise forms.ValidationError(str(refusal.message)) from refusal

    def clean_licence(self) -> File:
        try:
            judge_licence(self.cleaned_data["licence"])
        except RuleViolation as refusal:
            raise forms.ValidationError(str(refusal.message)) from refusal
        return self.cleaned_data["licence"]

    @property
    def must_choose_again(self) -> bool:
        """True where a good file came with a bad form: browsers do not send a file twice."""
        return bool(self.errors) and "licence" in self.files and "licence" not in self.errors


class ActivationForm(forms.Form):
    accepted = forms.BooleanField(
        error_messages={"required": _("Read the two statements and tick the box to go on.")}
    )


class SettingsForm(forms.Form):
    operation_protection = forms.BooleanField(
        label=_("Operation protection"),
        required=False,
        help_text=_(
            "Ask for identity again before payments and other sensitive operations. Off until you switch it on."
        ),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        help_text=_("All times of the console are shown and read in this zone."),
    )
    password = password_field(_("Your password"), hint=_("Only needed to switch operation protection off."))

    def __init__(self, data: Any, *, tenant: Tenant) -> None:
        super().__init__(
            data,
            initial={"operation_protection": tenant.operation_protection, "time_zone": tenant.time_zone},
        )
        self.fields["password"].required = False
