"""Writing a tidied body down as a version; what services and jobs share."""

from dataclasses import dataclass

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from email_service.mail_templates import queries
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.mail_templates.rendering import Draft
from iam import audit
from iam.models import Tenant, User
from koomessage.common.codes import short_id
from koomessage.common.errors import RuleViolation

ACTION = "kooMessage:emailTemplate"


@dataclass(frozen=True, slots=True)
class Saved:
    """A stored template, and what its HTML lost on the way."""

    template: Template
    removed: tuple[str, ...]


@transaction.atomic
def save_own(*, tenant: Tenant, user: User, title: str, draft: Draft, template: Template | None) -> Saved:
    """Store an account's template, approved at once unless its industry is sensitive."""
    status = Template.Status.PENDING if queries.is_sensitive(tenant) else Template.Status.APPROVED
    stored = store(tenant=tenant, user=user, title=title, draft=draft, status=status, template=template)
    operation = "create" if template is None else "update"
    audit.record(
        tenant=tenant, user=user, action=f"{ACTION}:{operation}", target=str(stored), code=stored.code
    )
    return Saved(stored, draft.removed)


def store(
    *,
    tenant: Tenant | None,
    user: User | None,
    title: str,
    draft: Draft,
    status: str,
    template: Template | None,
    code: str = "",
) -> Template:
    """Write the body as a new template, or as the next version of one, and make it the current one."""
    if template is None:
        row = _new_template(tenant=tenant, title=title, body_type=draft.body_type, status=status, code=code)
        number = 1
    else:
        row = _locked(template.pk)
        number = (row.versions.aggregate(most=models.Max("number"))["most"] or 0) + 1
    row.version = TemplateVersion.objects.create(
        template=row,
        number=number,
        title=title,
        body_type=draft.body_type,
        body=draft.body,
        parameters=list(draft.parameters),
        can_unsubscribe=draft.can_unsubscribe,
        status=status,
        author=user,
        decided_at=timezone.now() if status == Template.Status.APPROVED else None,
    )
    row.title, row.body_type, row.status = title, draft.body_type, status
    row.save(update_fields=["title", "body_type", "status", "version"])
    return row


def _new_template(*, tenant: Tenant | None, title: str, body_type: str, status: str, code: str) -> Template:
    for _attempt in range(10):
        try:
            with transaction.atomic():
                return Template.objects.create(
                    tenant=tenant, code=code or short_id("M"), title=title, body_type=body_type, status=status
                )
        except IntegrityError:
            if code:
                raise
    raise RuleViolation(_("No free template ID was found. Submit the form again."))


def _locked(pk: int) -> Template:
    template = Template.objects.select_for_update().filter(pk=pk, is_deleted=False).first()
    if template is None:
        raise RuleViolation(_("This template was deleted in the meantime."))
    return template
