"""Everything on embedded defaults: web server, worker, schedule, DNS and mail in one process group."""

import shutil
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from koomessage.console.catalogue import CATALOGUE
from koomessage.demo import cast, services
from koomessage.demo.people import LOGINS
from koomessage.demo.processes import ChildEnded, Group


class Command(BaseCommand):
    help = "Run the console with everything it needs, on this machine alone, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="the console's port (default: 8000, or a free one)")
        parser.add_argument("--no-data", action="store_true", help="start without demo accounts and history")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "This is for the demo alone: run `manage.py demo`, which makes its environment."
            )
        group = Group(self.stdout.write)
        with group.signals():
            try:
                self._start(group, with_data=not options["no_data"])
                group.watch()
            except KeyboardInterrupt:
                pass
            except ChildEnded as ended:
                raise CommandError(str(ended)) from None
            finally:
                self.stdout.write("\nStopping …")
                group.stop()
                self.stdout.write("Stopped.")

    def _start(self, group: Group, *, with_data: bool) -> None:
        with group.interruptible():
            self._say("Database")
            call_command("migrate", verbosity=0)
            if not CATALOGUE.with_suffix(".mo").is_file() or _is_stale():
                self._say("Translations")
                call_command("translations", "--compile")
            services.publish_platform()
            if settings.CELERY_BROKER_URL.startswith("filesystem:"):
                # Only hints lie there, and one cut short by a crash would stay for ever.
                shutil.rmtree(settings.CELERY_BROKER_FOLDER, ignore_errors=True)
        self._say("DNS and mail")
        group.start(cast.name_server(), cast.mail_server())
        if with_data:
            with group.interruptible():
                self._say("Demo data")
                call_command("demo_data", verbosity=0)
        connections.close_all()
        self._say("Web server, worker and schedule")
        group.start(cast.web_server(), cast.worker(), cast.schedule())
        self._print_box(with_data=with_data)

    def _say(self, what: str) -> None:
        self.stdout.write(f"  {what} …")
        self.stdout.flush()

    def _print_box(self, *, with_data: bool) -> None:
        host, port = settings.DNS_NAMESERVERS[0]
        rows = [
            ("Console", settings.BASE_URL),
            ("Administration", f"{settings.BASE_URL}/admin/"),
            ("Inbox", f"{settings.BASE_URL}/demo/inbox/"),
            ("Demo DNS", f"{settings.BASE_URL}/demo/dns/"),
            ("DNS server", f"{host}:{port} (UDP, TCP)"),
            ("Mail server", f"{settings.RELAY_HOST}:{settings.RELAY_PORT} (SMTP)"),
            ("Logs", str(settings.DATA_DIR)),
        ]
        logins = (
            [(person.what, f"{person.login}   {person.password}") for person in LOGINS] if with_data else []
        )
        width = max(len(name) for name, _ in rows + logins) + 2
        lines = [f"{name:<{width}}{value}" for name, value in rows]
        if logins:
            lines += ["", "Sign in as", *(f"{name:<{width}}{value}" for name, value in logins)]
        lines += ["", "Ctrl-C stops everything."]
        inner = max(map(len, lines))
        self.stdout.write(f"\n┌─{'─' * inner}─┐")
        for line in lines:
            self.stdout.write(f"│ {line:<{inner}} │")
        self.stdout.write(f"└─{'─' * inner}─┘\n")
        self.stdout.flush()


def _is_stale() -> bool:
    return CATALOGUE.with_suffix(".mo").stat().st_mtime < CATALOGUE.stat().st_mtime
