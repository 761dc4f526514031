"""Load the built-in templates that every account may copy and send."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from email_service.mail_templates.catalogue import BuiltIn, built_in
from email_service.mail_templates.models import BodyType, Template
from email_service.mail_templates.services import save_public_template


class Command(BaseCommand):
    help = (
        "Load the public templates; safe to run again: what is unchanged stays, what changed gets a new version, "
        "and what an operator edited or deleted is left alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--force",
            action="store_true",
            help="load over what operators edited, too; their words stay in the template's history",
        )

    def handle(self, *args: Any, force: bool, **options: Any) -> None:
        states: Counter[str] = Counter()
        for entry in built_in():
            state = self._load(entry, force=force)
            states[state] += 1
            self.stdout.write(f"{entry.code} {entry.title}: {state}")
        self.stdout.write(", ".join(f"{count} {state}" for state, count in states.items()))

    def _load(self, entry: BuiltIn, *, force: bool) -> str:
        row = Template.objects.filter(code=entry.code).select_related("version").first()
        if row is not None and row.is_deleted:
            return "deleted by an operator, left alone"
        before = row.version if row else None
        # A version that this command writes has no author.
        if before is not None and before.author_id is not None and not force:
            return "edited by an operator, left alone"
        saved = save_public_template(
            title=entry.title,
            body_type=BodyType.RICH,
            body=entry.body,
            can_unsubscribe=entry.can_unsubscribe,
            template=row,
            code=entry.code,
        )
        if row is None:
            return "created"
        return "unchanged" if saved.template.version == before else "updated"
