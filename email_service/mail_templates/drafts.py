"""Large bodies, cleaned by a job while their author watches."""

from datetime import timedelta

from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from email_service.mail_templates import storing
from email_service.mail_templates.models import BodyType, TemplateDraft
from email_service.mail_templates.rendering import Draft, tidy_body
from koomessage.common.errors import RuleViolation

# So many tags and entities take about a second to clean.
HEAVY = 5000
# A draft at which nothing happened for so long has lost its worker.
STUCK_AFTER = timedelta(seconds=60)
# Each of them ended with the worker: the body is to blame.
MOST_ATTEMPTS = 3
KEPT_FOR = timedelta(days=7)
_CLOSED = (TemplateDraft.Stage.REFUSED, TemplateDraft.Stage.DONE)


def is_heavy(body: str, *, body_type: str = BodyType.RICH) -> bool:
    """Say whether cleaning the body may take longer than somebody should wait for a page."""
    return body_type == BodyType.RICH and body.count("<") + body.count("&") > HEAVY


def carry_out(draft_id: int) -> None:
    """Clean the draft's body and do what it is meant for; safe to run twice, or twice at once."""
    drafts = TemplateDraft.objects.select_related("tenant", "user", "template")
    draft = drafts.filter(pk=draft_id).exclude(stage__in=_CLOSED).first()
    if draft is None:
        return
    with translation.override(draft.language):
        try:
            _begin(draft)
            tidy = tidy_body(
                body_type=draft.body_type,
                body=draft.body,
                can_unsubscribe=draft.can_unsubscribe,
                before_check=lambda: _advance(draft, TemplateDraft.Stage.CHECKING),
            )
            _finish(draft, tidy)
        except RuleViolation as refusal:
            refused = TemplateDraft.Stage.REFUSED
            open_ones = TemplateDraft.objects.filter(pk=draft.pk).exclude(stage__in=_CLOSED)
            open_ones.update(stage=refused, refusal=str(refusal.message))


@transaction.atomic
def _finish(draft: TemplateDraft, tidy: Draft) -> None:
    row = TemplateDraft.objects.select_for_update().get(pk=draft.pk)
    if not row.is_open:
        return
    if draft.purpose == TemplateDraft.Purpose.SAVE:
        saved = storing.save_own(
            tenant=draft.tenant, user=draft.user, title=draft.title, draft=tidy, template=draft.template
        )
        row.template = saved.template
    row.body, row.removed, row.stage = tidy.body, list(tidy.removed), TemplateDraft.Stage.DONE
    row.save(update_fields=["template", "body", "removed", "stage"])


def _begin(draft: TemplateDraft) -> None:
    """Count the attempt before it is made: one that ends with the worker counts too."""
    if draft.attempts >= MOST_ATTEMPTS:
        sentence = _("The HTML could not be cleaned in {most} attempts. Simplify it, and submit it again.")
        raise RuleViolation(format_lazy(sentence, most=MOST_ATTEMPTS), field="body")
    TemplateDraft.objects.filter(pk=draft.pk).update(
        attempts=models.F("attempts") + 1, tried_at=timezone.now()
    )
    _advance(draft, TemplateDraft.Stage.CLEANING)


def _advance(draft: TemplateDraft, stage: str) -> None:
    TemplateDraft.objects.filter(pk=draft.pk).exclude(stage__in=_CLOSED).update(stage=stage)


def stuck() -> list[int]:
    """Return the drafts whose job was lost."""
    before = timezone.now() - STUCK_AFTER
    rows = TemplateDraft.objects.annotate(last=Coalesce("tried_at", "created_at"))
    rows = rows.filter(last__lt=before).exclude(stage__in=_CLOSED)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:100])


def drop_old() -> None:
    """Delete drafts that nobody came back for."""
    TemplateDraft.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
