"""What people do with exports: ask for one, ask again, delete it."""

import logging

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from email_service.downloads import jobs
from email_service.downloads.models import Export
from email_service.downloads.sources import source_of
from iam import audit
from iam.models import Tenant, User
from koomessage.common import uploads
from koomessage.common.errors import RuleViolation
from koomessage.common.permissions import may

logger = logging.getLogger(__name__)
MOST_WAITING = 50


@transaction.atomic
def request_export(
    *,
    tenant: Tenant,
    user: User,
    kind: str,
    query: str,
    language: str,
    format: str,
    is_revealed: bool = False,
) -> Export:
    """Have a file made of what the filters let through; the user's rights of this moment decide what is in it.

    The same asked again while it is in the making is the same export. Raises RuleViolation where too many wait.
    """
    source = source_of(kind)
    if is_revealed and not may(user, source.reveal_permission):
        raise RuleViolation(_("You may not see whole addresses; export them masked."), field="is_revealed")
    # Two requests at once must see each other.
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    unfinished = Export.objects.for_tenant(tenant).unfinished()
    wish = {"kind": kind, "format": format, "query": query, "is_revealed": is_revealed, "language": language}
    found = unfinished.filter(created_by=user, **wish).first()
    if found is not None:
        return found
    if unfinished.count() >= MOST_WAITING:
        raise RuleViolation(_("Many exports of your account are in the making. Wait until some are ready."))
    export = Export.objects.create(tenant=tenant, created_by=user, time_zone=tenant.time_zone, **wish)
    audit.record(
        tenant=tenant,
        user=user,
        action=source.action,
        target=str(export),
        format=format,
        filters=query[:1000],
        whole_addresses=is_revealed,
    )
    jobs.make_export.delay_on_commit(export.pk)
    return export


def repeat_export(export: Export, *, user: User, language: str) -> Export:
    """Ask for the same once more, as of now and within the rights of whoever asks."""
    if not may(user, source_of(export.kind).permission):
        raise PermissionDenied
    return request_export(
        tenant=export.tenant,
        user=user,
        kind=export.kind,
        query=export.query,
        language=language,
        format=export.format,
        is_revealed=export.is_revealed,
    )


def delete_export(export: Export, *, user: User) -> None:
    """Take the export and its file away; one in the making stops."""
    with transaction.atomic():
        audit.record(
            tenant=export.tenant,
            user=user,
            action=f"{source_of(export.kind).action}:delete",
            target=str(export),
        )
        Export.objects.filter(pk=export.pk).delete()
    if export.file:
        uploads.discard(export.file)
