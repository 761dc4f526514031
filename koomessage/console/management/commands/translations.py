"""Keep the catalogue of translations true to the source: extract, merge, check, compile."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from koomessage.console.catalogue import CATALOGUE, compile_catalogue, problems, update


class Command(BaseCommand):
    help = "Extract texts from the source and merge, check or compile their translations."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--update", action="store_true", help="extract texts and merge them into the catalogue"
        )
        what.add_argument(
            "--check", action="store_true", help="fail on missing, fuzzy or obsolete translations"
        )
        what.add_argument("--compile", action="store_true", help="make the .mo file that Django reads")
        parser.add_argument(
            "--from", dest="source", nargs="*", default=[], help="JSON files {English: Chinese}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["compile"]:
            compile_catalogue()
            return
        if options["update"]:
            update([json.loads(Path(name).read_text(encoding="utf-8")) for name in options["source"]])
            compile_catalogue()
        found = problems()
        for problem in found:
            self.stdout.write(problem)
        if options["check"] and found:
            raise CommandError(f"{len(found)} texts of {CATALOGUE.name} need work.")
