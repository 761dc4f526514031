"""Judge a mail body in a file as the form would, and print what would be stored and sent."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from email_service.mail_templates.html_files import read_html
from email_service.mail_templates.models import BodyType
from email_service.mail_templates.parameters import read_parameters
from email_service.mail_templates.rendering import tidy_body, tidy_html
from email_service.mail_templates.text_part import text_from
from koomessage.common.errors import RuleViolation


class Command(BaseCommand):
    help = "Print a template's parameters, problems, removed parts, HTML and text as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="an HTML file, or with --text a plain text file")
        parser.add_argument("--text", action="store_true", help="the file is a plain text body")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"The file {path} cannot be read: {error.strerror}.") from error
        report = _judge_text(content) if options["text"] else _judge_html(path.name, content)
        self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))


def _judge_text(content: bytes) -> dict[str, Any]:
    return _report(BodyType.PLAIN, content.decode("utf-8-sig", errors="replace"), "", ())


def _judge_html(name: str, content: bytes) -> dict[str, Any]:
    try:
        html, removed = tidy_html(read_html(name, content))
    except RuleViolation as refusal:
        return {"parameters": [], "problems": [str(refusal.message)], "removed": [], "html": "", "text": ""}
    return _report(BodyType.RICH, html, html, removed)


def _report(body_type: str, body: str, html: str, removed: tuple[str, ...]) -> dict[str, Any]:
    reading = read_parameters(body)
    problems = [str(problem) for problem in reading.problems]
    if not problems:
        try:
            tidy_body(body_type=body_type, body=body)
        except RuleViolation as refusal:
            problems = [str(refusal.message)]
    return {
        "parameters": list(reading.names),
        "problems": problems,
        "removed": list(removed),
        "html": html,
        "text": text_from(html) if html else body,
    }
