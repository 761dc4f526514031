"""Look through a recipient file as the console does before a task is submitted, and print what it finds."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Q

from email_service.mail_templates.models import Template, TemplateVersion
from email_service.send_tasks import examination, judging, limits, reasons
from email_service.send_tasks.recipient_rows import Refused
from iam.models import Tenant
from koomessage.common.errors import RuleViolation

FIRST_PROBLEMS = 10


class Unusable(Exception):
    """The question itself cannot be answered."""


class Command(BaseCommand):
    help = (
        "Print as JSON what a recipient file holds: rows, good ones, the others by reason. Writes nothing; ends with 1 "
        "and an error where the file cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="an .xlsx file")
        parser.add_argument("--template", required=True, help="the template's ID")
        parser.add_argument(
            "--tenant", "--account", help="whose suppression list counts; else the template's account"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant, version = _asked(options["template"], options["tenant"])
            found = _examine(options["file"], version, tenant)
        except RuleViolation as refusal:
            self._fail(str(refusal.message))
        except (Unusable, Refused) as problem:
            self._fail(reasons.task_sentence(str(problem)))
        except OSError as error:
            self._fail(f"{options['file']}: {error.strerror}")
        else:
            self.stdout.write(json.dumps(found, ensure_ascii=False, indent=2))

    def _fail(self, sentence: str) -> None:
        self.stdout.write(json.dumps({"error": sentence}, ensure_ascii=False))
        raise SystemExit(1)


def _asked(code: str, account: str | None) -> tuple[Tenant | None, TemplateVersion]:
    tenant = Tenant.objects.filter(account=account).first() if account else None
    if account and tenant is None:
        raise Unusable(f"There is no account {account}.")
    rows = Template.objects.filter(code=code, is_deleted=False).select_related("version", "tenant")
    if tenant is not None:
        rows = rows.filter(Q(tenant=tenant) | Q(tenant=None))
    template = rows.first()
    if template is None or template.version is None:
        raise Unusable(f"There is no template {code}.")
    return tenant or template.tenant, template.version


def _examine(path: Path, version: TemplateVersion, tenant: Tenant | None) -> dict[str, Any]:
    if path.stat().st_size > limits.MAX_FILE_BYTES:
        raise RuleViolation(judging.FILE_TOO_LARGE)
    with path.open("rb") as file:
        judging.judge_head(file, version)
    counts: Counter[str] = Counter()
    problems: list[dict[str, Any]] = []
    sheet = examination.open_file(path, version)
    for block in examination.examine(sheet, version, tenant.pk if tenant else None):
        counts += block.counts
        for row in examination.bad_of(block.rows):
            if len(problems) == FIRST_PROBLEMS:
                break
            value = sheet.layout.address_in(row.cells)
            problems.append({"row": row.number, "value": value[:320], "reason": row.reason})
    good = counts.pop(examination.GOOD, 0)
    total = good + counts.total()
    duplicates, suppressed = counts.pop("duplicate", 0), counts.pop("suppressed", 0)
    return {
        "rows": total,
        "good": good,
        "bad": dict(sorted(counts.items())),
        "duplicates": duplicates,
        "suppressed": suppressed,
        "problems": problems,
    }
