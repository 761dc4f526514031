"""Submitting a template: at once, or by a job where its body is large."""

from django.db import transaction
from django.utils import translation

from email_service.mail_templates import jobs, services
from email_service.mail_templates.drafts import is_heavy
from email_service.mail_templates.models import Template, TemplateDraft, TemplateVersion
from email_service.mail_templates.rendering import tidy_body
from email_service.mail_templates.storing import Saved
from iam.models import Tenant, User


def submit_template(
    *,
    tenant: Tenant,
    user: User,
    title: str,
    body_type: str,
    body: str,
    can_unsubscribe: bool,
    template: Template | None = None,
) -> Saved | TemplateDraft:
    """Store the template at once, or, where cleaning its body takes long, hand it to a job.

    Raises RuleViolation for a body against the rules; a job writes the refusal into the draft.
    """
    fields = {"title": title, "body_type": body_type, "body": body, "can_unsubscribe": can_unsubscribe}
    if is_heavy(body, body_type=body_type):
        purpose = TemplateDraft.Purpose.SAVE
        return begin_draft(tenant=tenant, user=user, template=template, purpose=purpose, **fields)  # type: ignore[arg-type]
    return services.save_template(tenant=tenant, user=user, template=template, **fields)  # type: ignore[arg-type]


def restore_version(version: TemplateVersion, *, user: User) -> Saved | TemplateDraft:
    """Make an earlier version's text the template's newest version, which is judged and reviewed anew."""
    template = version.template
    return submit_template(
        tenant=template.tenant,  # type: ignore[arg-type]  # public templates have no such page
        user=user,
        template=template,
        title=version.title,
        body_type=version.body_type,
        body=version.body,
        can_unsubscribe=version.can_unsubscribe,
    )


@transaction.atomic
def begin_draft(
    *,
    tenant: Tenant,
    user: User,
    purpose: str,
    title: str,
    body_type: str,
    body: str,
    can_unsubscribe: bool,
    template: Template | None = None,
    former_body: str = "",
) -> TemplateDraft:
    """Keep what was submitted and clean it in the background; the row says how far that has come."""
    draft = TemplateDraft.objects.create(
        tenant=tenant,
        user=user,
        purpose=purpose,
        template=template,
        title=title,
        body_type=body_type,
        body=body,
        former_body=former_body,
        can_unsubscribe=can_unsubscribe,
        language=translation.get_language() or "",
    )
    jobs.tidy_draft.delay_on_commit(draft.pk)
    return draft


def view_draft(
    *, tenant: Tenant, user: User, title: str, body_type: str, body: str, can_unsubscribe: bool
) -> TemplateDraft:
    """Keep what a form holds for its preview, in place of what the user looked at before.

    Raises RuleViolation for a body against the rules, unless it is so large that a job finds that out.
    """
    fields = {"title": title, "body_type": body_type, "body": body, "can_unsubscribe": can_unsubscribe}
    view = TemplateDraft.Purpose.VIEW
    tidy = None if is_heavy(body, body_type=body_type) else tidy_body(body_type=body_type, body=body)
    TemplateDraft.objects.filter(tenant=tenant, user=user, purpose=view).delete()
    if tidy is None:
        return begin_draft(tenant=tenant, user=user, purpose=view, **fields)  # type: ignore[arg-type]
    fields |= {"body": tidy.body, "purpose": view, "stage": TemplateDraft.Stage.DONE}
    return TemplateDraft.objects.create(
        tenant=tenant, user=user, language="", removed=list(tidy.removed), **fields
    )
