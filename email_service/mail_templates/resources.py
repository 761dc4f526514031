"""Templates as a file: a list, or with their bodies, and in again as new templates or new versions."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from email_service.mail_templates import services
from email_service.mail_templates.forms import TemplateForm
from email_service.mail_templates.models import Template
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation
from koomessage.common.exchange import PlainResource, ServiceResource, column, moment

YES = frozenset({"1", "true", "yes", "y", "是"})
NO = frozenset({"", "0", "false", "no", "n", "否"})


class TemplateResource(PlainResource):
    """Public templates stand without an account."""

    account = column("tenant__account", "account")
    code = column("code")
    title = column("title")
    body_type = column("body_type")
    status = column("status")
    version = column("version__number", "version")
    created_at = moment("created_at")

    class Meta:
        model = Template
        name = gettext_lazy("List")
        fields = ("account", "code", "title", "body_type", "status", "version", "created_at")
        export_order = fields


class TemplateBodyResource(PlainResource):
    """What the import takes: the current version of each template."""

    most_rows_out = 200
    account = column("tenant__account", "account")
    code = column("code")
    title = column("title")
    body_type = column("body_type")
    can_unsubscribe = column("version__can_unsubscribe", "can_unsubscribe")
    body = column("version__body", "body")

    class Meta:
        model = Template
        name = gettext_lazy("With bodies, as the import takes them")
        fields = ("account", "code", "title", "body_type", "can_unsubscribe", "body")
        export_order = fields


class TemplateImport(ServiceResource):
    """Rows of TemplateBodyResource: without a template ID a new template, with one a new version of it."""

    required = ("account", "title", "body_type", "body")
    most_rows_in = 100
    account = column("tenant__account", "account")
    code = column("code")
    title = column("title")
    body_type = column("body_type")
    can_unsubscribe = column("version__can_unsubscribe", "can_unsubscribe")
    body = column("version__body", "body")

    class Meta:
        model = Template
        fields = ("account", "code", "title", "body_type", "can_unsubscribe", "body")
        import_order = fields
        import_id_fields = ("account",)

    def find(self, row: dict[str, Any]) -> Template | None:
        row["body"] = row.get("body", "").replace("\r\n", "\n").replace("\r", "\n")
        tenant = _account(row)
        if not row["code"]:
            return None
        known = Template.objects.filter(tenant=tenant, is_deleted=False, code__iexact=row["code"])
        template = known.select_related("tenant", "version").first()
        if template is None:
            raise RuleViolation(_("There is no template with this ID in the account."), field="code")
        return template

    def is_same(self, known: Template, row: dict[str, Any]) -> bool:
        version = known.version
        return version is not None and (
            version.title, version.body_type, version.body, version.can_unsubscribe,
        ) == (row["title"], row["body_type"], row["body"], row["can_unsubscribe"].lower() in YES)  # fmt: skip

    def store(self, known: Template | None, row: dict[str, Any], user: User) -> Template:
        tenant, fields = _account(row), _fields(row)
        if tenant is None:
            return services.save_public_template(user=user, template=known, **fields).template
        return services.save_template(tenant=tenant, user=user, template=known, **fields).template


def _account(row: dict[str, Any]) -> Tenant | None:
    """An empty cell means the public templates."""
    if not row["account"]:
        return None
    tenant = Tenant.objects.filter(account__iexact=row["account"]).first()
    if tenant is None:
        raise RuleViolation(_("There is no account of this name."), field="account")
    return tenant


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    """Read the row as the form reads what an account types."""
    word = row["can_unsubscribe"].lower()
    if word not in YES | NO:
        raise RuleViolation(_("Write 1 or 0."), field="can_unsubscribe")
    form = TemplateForm({**row, "can_unsubscribe": "on" if word in YES else ""})
    names = ("title", "body_type", "body", "can_unsubscribe")
    errors = {name: form.errors[name] for name in names if name in form.errors}
    if errors:
        raise ValidationError(errors)
    return {name: form.cleaned_data[name] for name in names}
