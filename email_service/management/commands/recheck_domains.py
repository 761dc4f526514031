"""Look verified domains up again now, as the job does by itself."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from email_service.domains import jobs, names, rechecks
from email_service.domains.models import Domain
from email_service.domains.rechecks import Recheck
from koomessage.common.errors import RuleViolation


class Command(BaseCommand):
    help = (
        "Look the DNS records of domains up again and write the outcome down, as the scheduled job does: a "
        "loss begins its grace period, or blocks the domain at its end. Without names: those that are due. "
        "Prints one line a domain."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="domains, for example mail.example.com")
        parser.add_argument("--all", action="store_true", help="every verified domain, due or not")
        parser.add_argument("--json", action="store_true", help="print a list of objects instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = []
        for recheck in rechecks.run(self._chosen(options), seconds=float("inf")):
            jobs.follow(recheck.outcome)
            reports.append(_report(recheck))
            if not options["json"]:
                self.stdout.write(_line(reports[-1]))
        if options["json"]:
            self.stdout.write(json.dumps(reports, ensure_ascii=False, indent=2))

    def _chosen(self, options: dict[str, Any]) -> list[int]:
        if options["names"] and options["all"]:
            raise CommandError("Give names or --all, not both.")
        if options["all"]:
            return list(Domain.objects.verified().order_by("pk").values_list("pk", flat=True))
        if not options["names"]:
            return rechecks.due()
        found: list[int] = []
        for text in options["names"]:
            try:
                rows = Domain.objects.filter(name=names.normalise(text)).order_by("pk")
            except RuleViolation as refusal:
                raise CommandError(f"{text}: {refusal.message}") from refusal
            if not rows:
                raise CommandError(f"No account has the domain {text}.")
            found += rows.values_list("pk", flat=True)
        return found


def _report(recheck: Recheck) -> dict[str, Any]:
    domain = recheck.domain
    return {
        "domain": domain.name,
        "account": domain.tenant.account,
        "status": domain.status,
        "lost_since": domain.lost_since.isoformat() if domain.lost_since else None,
        "records": {
            str(finding.record.purpose): {
                "status": str(finding.judgement.status),
                "reason": finding.judgement.reason,
            }
            for finding in recheck.findings
        },
    }


def _line(report: dict[str, Any]) -> str:
    problems = ", ".join(
        f"{purpose} {found['reason'] or found['status']}"
        for purpose, found in report["records"].items()
        if found["status"] != "ok"
    )
    lost = f", records lost since {report['lost_since']}" if report["lost_since"] else ""
    return f"{report['domain']} ({report['account']}): {report['status']}{lost}{'; ' if problems else ''}{problems}"
