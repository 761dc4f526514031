"""Texts of the platform's own that are sent as templates are, and stand in no list."""

from django.db import transaction
from django.utils import timezone

from email_service.mail_templates.models import BodyType, Template, TemplateVersion
from email_service.mail_templates.rendering import tidy_body


def hidden_version(*, code: str, title: str, body: str) -> TemplateVersion:
    """Return the version that holds this HTML, stored when it is first asked for.

    Its template counts as deleted from the start, so that no list, count or select field shows it: like
    any deleted template, it is only remembered by the tasks that were sent with it.
    """
    stored = tidy_body(body_type=BodyType.RICH, body=body).body
    versions = TemplateVersion.objects.filter(template__code=code, title=title, body=stored)
    known = versions.select_related("template").order_by("-number").first()
    return known or _store(code, title, stored)


@transaction.atomic
def _store(code: str, title: str, body: str) -> TemplateVersion:
    head = {"title": title, "body_type": BodyType.RICH, "status": Template.Status.APPROVED}
    made, _is_new = Template.objects.get_or_create(
        code=code, defaults={**head, "tenant": None, "is_deleted": True}
    )
    template = Template.objects.select_for_update().get(pk=made.pk)
    newest = template.versions.order_by("-number").first()
    if newest is not None and (newest.title, newest.body) == (title, body):
        return newest  # another request stored it in the meantime
    number = newest.number + 1 if newest else 1
    version = TemplateVersion.objects.create(
        template=template, number=number, body=body, decided_at=timezone.now(), **head
    )
    template.title, template.version = title, version
    template.save(update_fields=["title", "version"])
    return version
