"""Fill the demo: accounts, people, a verified domain, templates, and a month of history. Safe to run again."""

from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from koomessage.demo import accounts, content, history
from koomessage.demo.people import LOGINS


class Command(BaseCommand):
    help = "Make the demo's accounts and their data; what is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo accounts have known passwords: this runs in the demo alone (DEMO=true).")
        tenant, owner, operator = accounts.make_accounts()
        if "load_public_templates" in get_commands():
            call_command("load_public_templates", verbosity=0, stdout=StringIO())
        content.make_content(tenant, owner, operator)
        history.make_history(tenant, owner)
        if options["verbosity"]:
            for person in LOGINS:
                self.stdout.write(f"{person.what}: {person.login}  {person.password}")
