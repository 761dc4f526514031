"""Batches under way in one worker: the next is claimed while the last replies of the one before come in."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from email_service.delivery.engine import Delivery
from email_service.delivery.envelopes import Claim, Outcome
from email_service.delivery.replies import Verdict
from email_service.send_details import outcomes as details
from email_service.send_tasks import claims, progress, pulse, reasons, results, verdicts
from email_service.send_tasks.claims import Batch, Claimed
from email_service.send_tasks.dispatch import takeover
from email_service.send_tasks.dispatch.station import Station, is_stopping
from email_service.send_tasks.mailing import CannotPrepare
from email_service.send_tasks.watch import Guard
from email_service.setup.models import EmailService
from koomessage.common.uploads import StorageSilent

logger = logging.getLogger(__name__)
# A server that takes minutes to answer holds up its own batch, not the worker.
MOST_OPEN = 4
ASK_AGAIN = 1.0
_TICK = 0.05


@dataclass(slots=True)
class UnderWay:
    batch: Batch
    guard: Guard
    delivery: Delivery
    begun_at: float


class Shift:
    """One worker's work from its first claim until all it began has ended."""

    def __init__(self, here: Station, *, seconds: float, most: int, size: int | None) -> None:
        """Batches are begun for so many seconds, at most so many of them, the first in any case.

        Where no size is given, a batch is half a second's work: whoever comes meanwhile does not wait for long.
        """
        self._here = here
        self._until = time.monotonic() + seconds
        self._left = most
        self._size = size
        self._open: list[UnderWay] = []
        self._news = threading.Event()
        self._ask_at = 0.0
        self._has_begun = False
        self.found = False  # the last claim found something to do

    def work(self) -> None:
        try:
            with self._here.pulse.stage(
                pulse.SMTP, but=(pulse.CLAIM, pulse.RENDER, pulse.SIGN, pulse.RECORD)
            ):
                while self._begins_another() or self._open:
                    self._attend()
        except BaseException:
            self._settle()
            raise

    def _begins_another(self) -> bool:
        """Claim and begin the next batch if it is time; answer whether to look again at once."""
        now = time.monotonic()
        if is_stopping() or self._left <= 0 or now < self._ask_at or (now > self._until and self._has_begun):
            return False
        if self._open and (len(self._open) >= MOST_OPEN or self._under_way > self._here.speed.few):
            return False
        with self._here.pulse.stage(pulse.CLAIM):
            size = self._size or self._here.speed.batch
            batch = claims.claim(worker=self._here.name, host=self._here.host, size=size)
        self._has_begun = True
        self.found = batch is not None
        if batch is None:
            self._ask_at = now + ASK_AGAIN
            if not self._open:
                self._left = 0
            return False
        self._left -= 1
        self._begin(batch)
        return True

    @property
    def _under_way(self) -> int:
        return sum(row.delivery.under_way for row in self._open)

    def _begin(self, batch: Batch) -> None:
        try:
            mailing = self._here.mailing(batch.task)
            service = EmailService.objects.select_related("transport").get(tenant=batch.task.tenant_id)
        except (CannotPrepare, StorageSilent, EmailService.DoesNotExist) as problem:
            self._put_off(batch, problem)
            return
        messages = _without_poison(batch)
        accepted = {message.id: message.accepted_at for message in messages}
        rules = results.rules_for(service.in_doubt)
        guard = self._here.watch.begin(batch)

        def on_outcomes(found: Sequence[Outcome]) -> None:
            with self._here.pulse.stage(pulse.RECORD):
                results.apply(found, accepted=accepted, rules=rules, clock=claims.database_now)
                _give_back(batch, found, guard)
            self._here.pulse.count(found)

        delivery = self._here.engine(service.transport).begin(
            Claim(batch.token, tuple(accepted)),
            mailing.envelopes(messages, self._here.note, self._here.pulse.made),
            guard=guard.allows,
            on_outcomes=on_outcomes,
            news=self._news,
            few=self._here.speed.few,
        )
        self._open.append(UnderWay(batch, guard, delivery, time.monotonic()))

    def _put_off(self, batch: Batch, problem: Exception) -> None:
        """End the claim on a batch whose mail cannot be made: its task waits for a person, or for the storage."""
        claims.give_back(batch.token)
        claims.close(batch.token)
        if not isinstance(problem, StorageSilent):
            progress.pause(batch.task.pk, reasons.keep("mail"))
            logger.warning("Task %s is paused: %s", batch.task.code, problem)
            return
        logger.warning("Task %s is sent later: %s", batch.task.code, problem)
        # A storage that is down is not asked without pause.
        self._ask_at = time.monotonic() + ASK_AGAIN
        if not self._open:
            time.sleep(ASK_AGAIN)

    def _attend(self) -> None:
        """Wait for news, write down what there is, and end the batches that are over."""
        self._news.wait(_TICK)
        self._news.clear()
        for row in tuple(self._open):
            if row.delivery.attend():
                self._open.remove(row)
                self._here.watch.end(row.guard)
                takeover.end(row.batch.token)
                self._here.speed.sent(len(row.batch.messages), since=row.begun_at)
                self._here.counting.after(row.batch)

    def _settle(self) -> None:
        """After an error: what is on its way comes to its replies, which the journal keeps."""
        for row in self._open:
            row.delivery.settle()
            self._here.watch.end(row.guard)
        self._open.clear()


def _without_poison(batch: Batch) -> tuple[Claimed, ...]:
    """Set aside the messages over which workers died too often, and return the others."""
    poison = [message.id for message in batch.messages if message.crashes >= verdicts.MAX_CRASHES]
    if poison:
        details.set_aside(batch.token, poison, now=claims.database_now())
    return tuple(message for message in batch.messages if message.id not in poison)


def _give_back(batch: Batch, found: Sequence[Outcome], guard: Guard) -> None:
    """End the claim on what was not sent: rejected where the recipient was suppressed, else pending again."""
    withheld = {outcome.message_id for outcome in found if outcome.verdict == Verdict.WITHHELD}
    if not withheld:
        return
    keys = [row.recipient_key for row in batch.messages if row.id in withheld & guard.suppressed]
    if keys:
        details.reject_suppressed(batch.task.tenant_id, keys, now=claims.database_now(), token=batch.token)
    claims.give_back(batch.token, withheld)
