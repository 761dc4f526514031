"""What may be done to a template: write, delete, and decide about it."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from email_service.mail_templates import jobs, storing
from email_service.mail_templates.models import Template, TemplateVersion
from email_service.mail_templates.reasons import reason_text
from email_service.mail_templates.rendering import tidy_body
from email_service.mail_templates.storing import ACTION, Saved
from iam import audit
from iam.models import Tenant, User
from koomessage.common.errors import RuleViolation

MAX_REASON = 500


def save_template(
    *,
    tenant: Tenant,
    user: User,
    title: str,
    body_type: str,
    body: str,
    can_unsubscribe: bool,
    template: Template | None = None,
) -> Saved:
    """Store a new template, or a new version of one; earlier versions and the tasks on them stay as they are.

    Approved at once, unless the account's industry is sensitive: then it waits for review.
    """
    # Cleaning may take seconds: it is done before anything is locked.
    draft = tidy_body(body_type=body_type, body=body, can_unsubscribe=can_unsubscribe)
    return storing.save_own(tenant=tenant, user=user, title=title, draft=draft, template=template)


@transaction.atomic
def save_public_template(
    *,
    title: str,
    body_type: str,
    body: str,
    can_unsubscribe: bool,
    user: User | None = None,
    template: Template | None = None,
    code: str = "",
) -> Saved:
    """Store a template that every account may use; unchanged words make no new version."""
    draft = tidy_body(body_type=body_type, body=body, can_unsubscribe=can_unsubscribe)
    current = template.version if template else None
    if template and current and (current.title, current.body_type, current.body, current.can_unsubscribe) == (
        title, body_type, draft.body, can_unsubscribe,
    ):  # fmt: skip
        return Saved(template, draft.removed)
    status = Template.Status.APPROVED
    stored = storing.store(
        tenant=None, user=user, title=title, draft=draft, status=status, template=template, code=code
    )
    audit.record(tenant=None, user=user, action=f"{ACTION}:update", target=str(stored), code=stored.code)
    return Saved(stored, draft.removed)


@transaction.atomic
def delete_template(template: Template, *, user: User) -> None:
    """Take the template out of every list; tasks that use one of its versions keep that and go on."""
    row = Template.objects.select_for_update().get(pk=template.pk)
    if row.is_deleted:
        return
    row.is_deleted = True
    row.save(update_fields=["is_deleted"])
    audit.record(tenant=row.tenant, user=user, action=f"{ACTION}:delete", target=str(row), code=row.code)


@transaction.atomic
def approve_version(version: TemplateVersion, *, by: User) -> TemplateVersion:
    """Let the tenant send this version; its author is told by mail."""
    return _decide(version, by=by, status=Template.Status.APPROVED, reason="")


@transaction.atomic
def reject_version(
    version: TemplateVersion, *, by: User, reason: str = "", reasons: Sequence[str] = ()
) -> TemplateVersion:
    """Refuse this version for ready reasons (their keys), words of the reviewer, or both; its author is told."""
    text = reason_text(list(reasons), reason)
    if not text:
        raise RuleViolation(
            _("Choose or write a reason; the account reads it and can correct the template."), field="reason"
        )
    if len(text) > MAX_REASON:
        raise RuleViolation(
            _("The reasons are longer than 500 characters together. Choose fewer, or write less."),
            field="reason",
        )
    return _decide(version, by=by, status=Template.Status.REJECTED, reason=text)


def obstacle(version: TemplateVersion, *, by: User) -> "str | Promise":
    """Say in a sentence why this person cannot decide about the version; empty: nothing is in the way."""
    if version.template.is_deleted:
        return _("The template was deleted; there is nothing to decide any more.")
    if version.template.version_id != version.pk:
        return _("The template was edited in the meantime; decide about its newest version.")
    if version.status != Template.Status.PENDING:
        return _("This version has been decided about already.")
    if version.author_id == by.pk:
        return _("Nobody may decide about a template of their own.")
    if not by.is_staff:
        return _("Only the platform's staff decide about templates.")
    return ""


def _decide(version: TemplateVersion, *, by: User, status: str, reason: str) -> TemplateVersion:
    # An edit, a deletion and a second reviewer all take the template's lock first: one of them wins.
    template = Template.objects.select_for_update().get(pk=version.template_id)
    row = TemplateVersion.objects.select_for_update().get(pk=version.pk)
    row.template = template
    if refusal := obstacle(row, by=by):
        raise RuleViolation(refusal)  # type: ignore[arg-type]
    row.status, row.reason, row.decided_by, row.decided_at = status, reason, by, timezone.now()
    row.save(update_fields=["status", "reason", "decided_by", "decided_at"])
    template.status = status
    template.save(update_fields=["status"])
    decision = "approve" if status == Template.Status.APPROVED else "reject"
    audit.record(
        tenant=template.tenant,
        user=by,
        action=f"{ACTION}:{decision}",
        target=str(row),
        code=template.code,
        reason=reason,
    )
    jobs.mail_review.delay_on_commit(row.pk)
    return row
