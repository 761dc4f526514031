"""One try at one message, from its envelope to its outcome."""

from datetime import UTC, datetime
from typing import Protocol

from email_service.delivery.engine.journal import Journal
from email_service.delivery.engine.wire import Features, Reply, stuffed
from email_service.delivery.envelopes import Envelope, Outcome
from email_service.delivery.headers import address_octets
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import Guard

STOPPED = "Sending was stopped."
NOT_ALLOWED = "Sending was not allowed any more."


class Batch(Protocol):
    """The call of `deliver` that an attempt belongs to."""

    token: int
    guard: Guard

    def report(self, outcome: Outcome) -> None: ...


class Attempt:
    __slots__ = (
        "_rendered",
        "batch",
        "dot_written",
        "envelope",
        "is_marked",
        "mail",
        "mail_from",
        "needs_utf8",
        "problem",
        "queued_at",
        "rcpt",
        "refusal",
        "size",
        "started_at",
        "tries",
        "was_heard",
    )

    def __init__(self, envelope: Envelope, batch: Batch) -> None:
        self.envelope = envelope
        self.batch = batch
        self.mail = self.mail_from = self.rcpt = b""
        self._rendered = b""
        self.problem: Exception | None = None
        self.size = 0
        self.needs_utf8 = False
        self.started_at = datetime.now(UTC)
        self.queued_at = 0.0  # by the loop's clock, where it waits in a lane
        self.tries = 0
        self.was_heard = False  # the server answered its MAIL
        self.refusal: Reply | None = None
        self.is_marked = False
        self.dot_written = False

    def render(self) -> bool:
        """Make the message's bytes but for the signature; answer whether that went well."""
        try:
            envelope = self.envelope
            sender = address_octets(envelope.sender) if envelope.sender else b""
            recipient = address_octets(envelope.recipient)
            self.mail_from = b"MAIL FROM:<" + sender + b">"
            self.rcpt = b"RCPT TO:<" + recipient + b">\r\n"
            self.needs_utf8 = not (sender.isascii() and recipient.isascii())
            self._rendered = envelope.render()
        except Exception as error:
            self.problem = error
        return self.problem is None

    def sign(self) -> None:
        """Finish what was rendered; in any thread, and once is enough."""
        if self.mail or self.problem is not None:
            return
        try:
            envelope = self.envelope
            mail = self._rendered if envelope.sign is None else envelope.sign(self._rendered)
            self._rendered = b""
            self.size = len(mail)  # as RFC 1870 counts it, before dots are doubled
            self.mail = mail if envelope.is_transparent else stuffed(mail)
        except Exception as error:
            self.problem = error

    def begin(self, features: Features) -> tuple[Verdict, str, str] | None:
        """Have the message's bytes ready, its turn having come.

        Answers why this server gets none of it, as verdict, enhanced code and text, or None.
        """
        self.started_at = datetime.now(UTC)
        if not self.mail and self.problem is None and (self._rendered or self.render()):
            self.sign()
        if isinstance(self.problem, ValueError):
            return Verdict.FAILED, "", f"The message cannot be composed: {self.problem}"
        if self.problem is not None:
            return Verdict.DEFERRED, "", f"The message could not be composed: {self.problem!r}"
        if features.size and self.size > features.size:
            text = f"The message has {self.size} octets, the server takes {features.size}."
            return Verdict.FAILED, "5.3.4", text
        if self.needs_utf8 and not features.utf8:
            text = "The address needs SMTPUTF8, and the server does not offer it."
            return Verdict.FAILED, "5.6.7", text
        return None

    def outcome(
        self,
        verdict: Verdict,
        text: str,
        *,
        host: str,
        tls: str,
        code: int = 0,
        enhanced: str = "",
        in_doubt: bool = False,
        sent: bool = False,
    ) -> Outcome:
        return Outcome(
            message_id=self.envelope.message_id,
            claim_token=self.batch.token,
            attempt=self.envelope.attempt,
            verdict=verdict,
            code=code,
            enhanced=enhanced,
            text=text,
            host=host,
            tls=tls,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            in_doubt=in_doubt,
            sent=sent,
        )


def write_down(journal: Journal, attempt: Attempt, outcome: Outcome) -> None:
    """Keep a server's reply, or take back the mark of a dot that was not written."""
    if outcome.code:
        journal.reply(outcome)
    elif attempt.is_marked and not outcome.sent:
        journal.unmark(outcome.claim_token, outcome.message_id)
