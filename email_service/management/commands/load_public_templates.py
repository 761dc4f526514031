"""Load the built-in templates that every account may copy and send."""

from typing import Any

from django.core.management.base import BaseCommand

from email_service.mail_templates.catalogue import built_in
from email_service.mail_templates.models import BodyType, Template
from email_service.mail_templates.services import save_public_template


class Command(BaseCommand):
    help = "Load the public templates; safe to run again: what is unchanged stays, what changed gets a new version."

    def handle(self, *args: Any, **options: Any) -> None:
        for entry in built_in():
            row = Template.objects.filter(code=entry.code).select_related("version").first()
            if row is not None and row.is_deleted:
                self.stdout.write(f"{entry.code} {entry.title}: deleted by an operator, left alone")
                continue
            before = row.version_id if row else None
            saved = save_public_template(
                title=entry.title,
                body_type=BodyType.RICH,
                body=entry.body,
                can_unsubscribe=entry.can_unsubscribe,
                template=row,
                code=entry.code,
            )
            state = "unchanged" if saved.template.version_id == before else "updated" if row else "added"
            self.stdout.write(f"{entry.code} {entry.title}: {state}")
