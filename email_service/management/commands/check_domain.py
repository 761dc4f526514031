"""Look a domain's DNS records up and print the outcome as JSON."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from email_service.domains import names, rotation, verification
from email_service.domains.examination import Finding, examine
from email_service.domains.models import Domain
from email_service.domains.queries import keys_of
from email_service.domains.reasons import explain
from koomessage.common.errors import RuleViolation


class Command(BaseCommand):
    help = (
        "Look the DNS records of a sending domain up, as the button on its page does, and print them as JSON. "
        "Changes nothing. Works for names no account has, too. Exit status 1: not verified."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the domain, for example mail.example.com")
        parser.add_argument("--account", help="whose domain, where several accounts have it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            name = names.normalise(options["name"])
        except RuleViolation as refusal:
            raise CommandError(str(refusal.message)) from refusal
        domain = self._domain(name, options["account"])
        records = verification.expected_of(domain) if domain else verification.expected_of_nobody(name)
        findings = examine(name, records)
        was_verified = domain is not None and domain.is_verified
        is_proved = domain is not None and verification.is_proof(findings, was_verified=was_verified)
        rivals = Domain.objects.verified().filter(name=name)
        rival = rivals.exclude(pk=domain.pk).first() if domain else None

        report: dict[str, Any] = {
            "domain": name,
            "account": domain.tenant.account if domain else None,
            "verified": is_proved and rival is None,
            "records": [_line(finding) for finding in findings],
        }
        if domain is not None:
            report["lost_since"] = domain.lost_since.isoformat() if domain.lost_since else None
            report["rotation"] = _rotation(domain)
        if domain is None:
            report["note"] = "No account has this domain; the expected values are those of the settings."
        elif rival is not None:
            report["note"] = f"The account {rival.tenant.account} has verified this domain."
        self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
        if not report["verified"]:
            raise SystemExit(1)

    def _domain(self, name: str, account: str | None) -> Domain | None:
        rows = Domain.objects.filter(name=name).select_related("tenant").order_by("tenant__account")
        if account:
            domain = rows.filter(tenant__account=account).first()
            if domain is None:
                raise CommandError(f"The account {account} has no domain {name}.")
            return domain
        found = list(rows)
        verified = [row for row in found if row.is_verified]
        if len(found) > 1 and not verified:
            accounts = ", ".join(row.tenant.account for row in found)
            raise CommandError(f"Several accounts have {name}: {accounts}. Name one with --account.")
        return next(iter(verified or found), None)


def _rotation(domain: Domain) -> dict[str, Any] | None:
    """Return what stands beside the key that signs: the next one, or the one before."""
    keys, records = keys_of(domain), rotation.records_of(domain)
    key = keys.next or keys.retiring
    if key is None:
        return None
    return {
        "state": key.state,
        "selector": key.selector,
        "keep_until": key.keep_until.isoformat() if key.keep_until else None,
        "records": [_line(finding) for finding in examine(domain.name, records)],
    }


def _line(finding: Finding) -> dict[str, str]:
    record, judgement = finding.record, finding.judgement
    return {
        "type": record.kind,
        "name": record.name,
        "expected": record.value,
        "current": judgement.current,
        "status": str(judgement.status),
        "reason": judgement.reason,
        "explanation": explain(judgement.reason, judgement.values),
    }
