"""What a dead worker left behind, and the end of claims."""

from collections import defaultdict

from django.conf import settings

from email_service.delivery.engine import Journal, Replay, abandoned, high_water, replay
from email_service.send_details import outcomes as details
from email_service.send_tasks import claims, pulse, restored, results, turns
from email_service.send_tasks.models import Claim as ClaimRow
from email_service.send_tasks.models import Task


def refuse_restored_database() -> None:
    restored.refuse(settings.JOURNAL_DIR, high_water(settings.JOURNAL_DIR))


def resume_after_restore() -> int:
    """Let this host send again with a database it does not know; return the highest claim it knew.

    First the journals are applied, what they say of batches that had ended too: what was delivered is not sent again,
    though the database may have lost the outcome, or the claim.
    """
    recover(is_restored=True)
    highest = high_water(settings.JOURNAL_DIR)
    claims.go_on_after(highest)
    restored.remember(settings.JOURNAL_DIR)
    return highest


def recover(*, is_restored: bool = False) -> None:
    """Take over what workers of this host left that are dead or could not go on.

    A reply in the journal is applied, a mark without one is in doubt, everything else was never sent. One that
    cannot be applied now is left as it is, and the others come first; then its error is raised.
    """
    trouble: Exception | None = None
    for journal in abandoned(settings.JOURNAL_DIR):
        try:
            if not is_restored:
                refuse_restored_database()
            _take_over(journal, is_restored=is_restored)
        except Exception as error:
            trouble = trouble or error
        finally:
            journal.close()  # kept open it would stay locked, and nobody could try again
    if trouble is not None:
        raise trouble


def _take_over(journal: Journal, *, is_restored: bool) -> None:
    note = turns.beside(journal.path)
    crashed_over = turns.crashed_over(note)
    found = replay(journal, with_closed=is_restored)
    written = _written(found) if not is_restored else _written_again(found)
    # Only what was written: a take-over that was itself cut short is no second crash.
    claims.count_crash([row.message_id for row in found.in_doubt if row.message_id in written])
    untouched: defaultdict[int, list[int]] = defaultdict(list)
    for left in found.untouched:
        untouched[left.claim_token].append(left.message_id)
    for token, message_ids in untouched.items():
        if suspects := crashed_over.intersection(message_ids):
            claims.give_back(token, suspects, crashed=True)
        claims.give_back(token, message_ids)
    left_open = claims.tokens_of(journal.path.name)
    for token in left_open:
        end(token)
    pulse.tally(settings.HOST_NAME, {(pulse.EXPIRED, ""): len(left_open)})
    pulse.forget(journal.path.name)
    note.unlink(missing_ok=True)
    journal.remove()


def _written(found: Replay) -> frozenset[int]:
    return results.apply_recovered(found.replies, found.in_doubt, now=claims.database_now())


def _written_again(found: Replay) -> frozenset[int]:
    """Write attempt after attempt into a database that may know nothing of any."""
    written: frozenset[int] = frozenset()
    for token in sorted({outcome.claim_token for outcome in (*found.replies, *found.in_doubt)}):
        of_claim = Replay(
            tuple(outcome for outcome in found.replies if outcome.claim_token == token),
            tuple(outcome for outcome in found.in_doubt if outcome.claim_token == token),
            (),
        )
        results.take_back_lost((*of_claim.replies, *of_claim.in_doubt))
        written |= _written(of_claim)
    return written


def give_up_silent() -> int:
    """Declare in doubt what workers hold whose host has been silent too long; return how many claims."""
    now = claims.database_now()
    gone = claims.silent(now)
    for claim in gone:
        results.apply_recovered((), results.doubtful_of(claim.token, now), now=now)
        claims.close(claim.token)
        pulse.tally(claim.host, {(pulse.EXPIRED, ""): 1})
        pulse.forget(claim.worker)
    return len(gone)


def end(token: int) -> None:
    """Close a claim; whatever it still holds was never begun."""
    claims.give_back(token)
    cancelled = Task.objects.filter(
        pk__in=ClaimRow.objects.filter(token=token).values("task"), status=Task.Status.CANCELLED
    ).first()
    if cancelled is not None:
        details.cancel_pending(cancelled)
    claims.close(token)
