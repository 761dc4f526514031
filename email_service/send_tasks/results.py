"""From the engine's outcomes to rows: bulk, fenced by the claim's token."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from email_service.delivery.envelopes import Outcome
from email_service.delivery.replies import Verdict
from email_service.feedback.bounces import record
from email_service.send_details.models import Attempt, Message
from email_service.send_details.outcomes import OutcomeRow
from email_service.send_tasks import ceilings, verdicts
from email_service.setup.models import EmailService

HOST_GONE = "The worker that held this message fell silent; whether it was sent is not known."


def rules_of(tenant_id: int) -> verdicts.Rules:
    return rules_for(EmailService.objects.filter(tenant=tenant_id).values_list("in_doubt", flat=True).first())


def rules_for(policy: str | None) -> verdicts.Rules:
    return verdicts.Rules(
        lifetime=timedelta(hours=settings.MESSAGE_LIFETIME_HOURS),
        first_wait=timedelta(seconds=settings.RETRY_FIRST_SECONDS),
        holds_doubtful=policy == EmailService.InDoubt.HOLD,
    )


def apply(
    outcomes: Sequence[Outcome],
    *,
    accepted: Mapping[int, datetime],
    rules: verdicts.Rules,
    clock: Callable[[], datetime],
) -> None:
    """Write down how a batch's messages ended; what was withheld is not an attempt and is left to the claim."""
    # Only what is tried again asks for the time.
    is_over = all(outcome.verdict in verdicts.FINAL for outcome in outcomes)
    now = timezone.now() if is_over else clock()
    tried = [outcome for outcome in outcomes if outcome.verdict != Verdict.WITHHELD]
    rows = [
        row_of(
            outcome, verdicts.decide(outcome, accepted_at=accepted[outcome.message_id], now=now, rules=rules)
        )
        for outcome in tried
    ]
    if any(row.status == verdicts.EXPIRED for row in rows):
        first = first_attempts(tried)
        rows = [
            row_of(
                outcome, verdicts.decide(outcome, accepted_at=first[outcome.message_id], now=now, rules=rules)
            )
            for outcome in tried
        ]
    if rows:
        record(rows, now=now)
        _uncount(tried)


def _uncount(outcomes: Iterable[Outcome]) -> None:
    """Keep what no server saw out of the day's ceiling: it warms up nothing."""
    unseen = Counter(outcome.claim_token for outcome in outcomes if not outcome.code and not outcome.sent)
    for token, number in unseen.items():
        ceilings.give_back(token, number)


def first_attempts(outcomes: Sequence[Outcome]) -> dict[int, datetime]:
    """Return when each message was first tried: its life counts from there, however long it waited before
    for a limit, a ceiling or a pause."""
    found = {outcome.message_id: outcome.started_at for outcome in outcomes}
    earlier = Attempt.objects.filter(message__in=list(found), number=1)
    return found | dict(earlier.values_list("message_id", "started_at"))


def row_of(outcome: Outcome, decision: verdicts.Decision) -> OutcomeRow:
    return OutcomeRow(
        message_id=outcome.message_id,
        lease_token=outcome.claim_token,
        status=decision.status,
        next_attempt_at=decision.next_attempt_at,
        attempt=outcome.attempt,
        verdict=outcome.verdict,
        host=outcome.host,
        tls=outcome.tls,
        code=outcome.code,
        enhanced=outcome.enhanced,
        text=outcome.text,
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        in_doubt=outcome.in_doubt,
        reason=_reason(outcome, decision),
    )


def _reason(outcome: Outcome, decision: verdicts.Decision) -> str:
    """Say who ended the message where no server did: a failure of the platform's own costs nothing."""
    no_server = decision.status == verdicts.FAILED and outcome.code == 0
    return Message.EndReason.PLATFORM if no_server else ""


def apply_recovered(
    replies: Sequence[Outcome], doubtful: Sequence[Outcome], *, now: datetime
) -> frozenset[int]:
    """Write down what a dead worker's journal tells: its replies, and what it may have sent; return whose.

    Whatever was claimed anew since carries another token and stays as it is. The rules are each tenant's.
    """
    found = {
        pk: (tenant, accepted_at)
        for pk, tenant, accepted_at in Message.objects.filter(
            pk__in=[outcome.message_id for outcome in (*replies, *doubtful)]
        ).values_list("pk", "tenant_id", "accepted_at")
    }
    rules = {tenant: rules_of(tenant) for tenant in {facts[0] for facts in found.values()}}
    rows = []
    for outcome in (*replies, *doubtful):
        if outcome.message_id not in found or outcome.verdict == Verdict.WITHHELD:
            continue
        tenant, accepted_at = found[outcome.message_id]
        decision = verdicts.decide(
            outcome,
            accepted_at=accepted_at,
            now=now,
            rules=rules[tenant],
            crashed=outcome.in_doubt,
        )
        rows.append(row_of(outcome, decision))
    return record(rows, now=now)


def take_back_lost(outcomes: Sequence[Outcome]) -> None:
    """Put under their claims again the messages whose claims a restored database does not know of.

    Only those that wait for the very attempt: a message accepted after it was begun is another one, of the same id.
    """
    attempts: defaultdict[tuple[int, int], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        attempts[outcome.claim_token, outcome.attempt].append(outcome)
    for (token, number), found in attempts.items():
        Message.objects.filter(
            pk__in=[outcome.message_id for outcome in found],
            status=Message.Status.PENDING,
            lease_token=None,
            attempts__lt=number,
            accepted_at__lte=min(outcome.started_at for outcome in found),
        ).update(lease_token=token)


def doubtful_of(token: int, now: datetime) -> list[Outcome]:
    """Return an outcome in doubt for each message held under the token of a worker that is gone."""
    held = Message.objects.filter(lease_token=token).values_list("pk", "attempts")
    return [
        Outcome(
            message_id=pk,
            claim_token=token,
            attempt=attempts + 1,
            verdict=Verdict.DEFERRED,
            code=0,
            enhanced="",
            text=HOST_GONE,
            host="",
            tls="",
            started_at=now,
            finished_at=now,
            in_doubt=True,
            sent=True,
        )
        for pk, attempts in held
    ]
