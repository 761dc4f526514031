"""One connection's work: envelopes one after the other, the next one's commands with this one's body.

The order that matters: guard, mark, dot. Nothing that can complete a message is written before
its mark is in the journal, and nothing is marked that the guard has not just let pass.
"""

from email_service.delivery.engine.attempts import NOT_ALLOWED, STOPPED, Attempt, write_down
from email_service.delivery.engine.journal import JournalUnwritable
from email_service.delivery.engine.office import Office
from email_service.delivery.engine.smtp import SmtpConnection
from email_service.delivery.engine.wire import Reply
from email_service.delivery.replies import Verdict, judge

_SMALL = 48 * 1024
_CLOSING = 421


class Courier:
    def __init__(self, office: Office, connection: SmtpConnection) -> None:
        self.office = office
        self.connection = connection
        self.idle_since = connection.loop.time()
        self._commanded: Attempt | None = None  # its MAIL, RCPT, DATA are under way
        self._sending: Attempt | None = None  # its body is
        self._needs_reset = False
        self._is_last = False  # answers to withdrawn commands are still to come: begin nothing here
        self._closing: Reply | None = None
        connection.on_lost = self._lost
        connection.on_unexpected = self._interrupted

    @property
    def is_idle(self) -> bool:
        busy = self._commanded is not None or self._sending is not None
        return not (busy or self._is_last or self.connection.is_down)

    def go_on(self) -> None:
        """Begin the next envelope, or wait idle for one."""
        if self.connection.is_down or self._commanded is not None:
            return
        attempt = self._next()
        if attempt is not None:
            self.connection.write(self._command(attempt))
        elif self.is_idle:
            self.idle_since = self.connection.loop.time()
            self.office.idle(self)

    def quit(self) -> None:
        """Say good-bye, and end the connection whether or not it is answered."""
        self.connection.on_unexpected = None
        self.connection.expect(lambda reply: self.connection.drop("Closed."), self.connection.timeouts.quit)
        self.connection.write(b"QUIT\r\n")

    def withdraw(self) -> None:
        """Give up what has not reached its dot; what has is waited for."""
        commanded, self._commanded = self._commanded, None
        if commanded is not None:
            self._withhold(commanded, STOPPED)
            # Its DATA may still be answered by 354: nothing may follow on this connection.
            self._is_last = True
            if self._sending is None:
                self.connection.drop(STOPPED)

    # Commands

    def _next(self) -> Attempt | None:
        """Answer the next message, its mail made; those the server cannot take have their outcome."""
        while (attempt := self.office.take()) is not None:
            if not self.office.allows(attempt):
                self._withhold(attempt, NOT_ALLOWED)
                continue
            obstacle = attempt.begin(self.connection.features)
            if obstacle is None:
                return attempt
            verdict, enhanced, text = obstacle
            self._end(attempt, verdict, text, enhanced=enhanced)
        return None

    def _command(self, attempt: Attempt) -> bytes:
        """Expect the replies and answer the octets of MAIL, RCPT, DATA, as many as may be written now."""
        self._commanded = attempt
        connection, timeouts = self.connection, self.connection.timeouts
        octets = b""
        if self._needs_reset:
            self._needs_reset = False
            octets = b"RSET\r\n"
            if not connection.features.pipelining:
                connection.expect(lambda reply: connection.write(self._first(attempt)), timeouts.rcpt)
                return octets
            connection.expect(lambda reply: None, timeouts.rcpt)
        octets += self._first(attempt)
        if connection.features.pipelining:
            connection.expect(self._rcpt_replied, timeouts.rcpt)
            connection.expect(self._data_replied, timeouts.data)
            octets += attempt.rcpt + b"DATA\r\n"
        return octets

    def _first(self, attempt: Attempt) -> bytes:
        self.connection.expect(self._mail_replied, self.connection.timeouts.mail)
        size = b" SIZE=%d" % attempt.size if self.connection.features.size else b""
        return attempt.mail_from + size + (b" SMTPUTF8\r\n" if attempt.needs_utf8 else b"\r\n")

    def _mail_replied(self, reply: Reply) -> None:
        attempt = self._commanded
        if attempt is None or self._is_last_word(reply):
            return
        attempt.was_heard = True
        if not reply.is_positive:
            attempt.refusal = reply
        if not self.connection.features.pipelining:
            if attempt.refusal is not None:
                self._refused(attempt)
            else:
                self.connection.expect(self._rcpt_replied, self.connection.timeouts.rcpt)
                self.connection.write(attempt.rcpt)

    def _rcpt_replied(self, reply: Reply) -> None:
        attempt = self._commanded
        if attempt is None or self._is_last_word(reply):
            return
        if not reply.is_positive and attempt.refusal is None:
            attempt.refusal = reply
        if not self.connection.features.pipelining:
            if attempt.refusal is not None:
                self._refused(attempt)
            else:
                self.connection.expect(self._data_replied, self.connection.timeouts.data)
                self.connection.write(b"DATA\r\n")

    def _data_replied(self, reply: Reply) -> None:
        attempt = self._commanded
        if attempt is None:
            self.connection.drop(STOPPED)  # withdrawn; a server that now waits for a body must not get one
            return
        if self._is_last_word(reply):
            return
        ready = reply.code == 354
        if attempt.refusal is None and not ready:
            attempt.refusal = reply
        if attempt.refusal is None:
            self._commanded, self._sending = None, attempt
            self._send(attempt)
        elif ready:
            # A body for nobody: the only way back without a dot is to hang up.
            self._commanded = None
            self._end_by(attempt, attempt.refusal)
            self.connection.drop("The server wanted a body after refusing the recipient.")
        else:
            self._refused(attempt)

    def _refused(self, attempt: Attempt) -> None:
        self._commanded = None
        self._needs_reset = True
        if attempt.refusal is not None:
            self._end_by(attempt, attempt.refusal)
        self.go_on()

    # Body and dot

    def _send(self, attempt: Attempt) -> None:
        if len(attempt.mail) <= _SMALL:
            self._finish(attempt, attempt.mail)
        else:
            self.connection.send_body(attempt.mail, lambda: self._finish(attempt, b""))

    def _finish(self, attempt: Attempt, rest: bytes) -> None:
        """Guard, mark, then write what completes the message."""
        if self.connection.is_ending:
            return  # nothing would arrive, so nothing is marked; `_lost` has the outcome
        pipelines, syncs = self.connection.features.pipelining, self.office.journal.fsync
        # Made before the mark: nothing that takes time comes between it and the dot.
        following = self._next() if pipelines and not syncs else None
        if not self.office.allows(attempt):
            self._turn_back(attempt, NOT_ALLOWED, following)
            return
        token, host, tls = attempt.batch.token, self.connection.host, self.connection.tls
        try:
            self.office.journal.mark(
                token, attempt.envelope, host=host, tls=tls, started_at=attempt.started_at
            )
        except JournalUnwritable as error:
            self.office.failed(error)
            self._turn_back(attempt, str(error), following)
            return
        attempt.is_marked = True
        if syncs:
            self.office.after_sync(lambda: self._complete_synced(attempt, rest))
        else:
            self._complete(attempt, rest, following)

    def _complete_synced(self, attempt: Attempt, rest: bytes) -> None:
        if self._sending is not attempt:
            return  # the connection was lost meanwhile, and the attempt has its outcome
        following = self._next() if self.connection.features.pipelining else None
        if self.office.allows(attempt):
            self._complete(attempt, rest, following)
        else:
            self._turn_back(attempt, NOT_ALLOWED, following)

    def _turn_back(self, attempt: Attempt, why: str, following: Attempt | None) -> None:
        """Hang up before the dot: the server must forget what it has of the message."""
        self._sending = None
        if following is not None:
            self.office.put_first(following)
        self._withhold(attempt, why)
        self.connection.drop(why)

    def _complete(self, attempt: Attempt, rest: bytes, following: Attempt | None) -> None:
        attempt.dot_written = True
        self.connection.expect(self._dot_replied, self.connection.timeouts.dot)
        octets = rest + b".\r\n"
        if following is not None:
            octets += self._command(following)
        self.connection.write(octets)

    def _dot_replied(self, reply: Reply) -> None:
        attempt, self._sending = self._sending, None
        self.connection.has_delivered |= reply.is_positive
        if attempt is not None:
            self._end_by(attempt, reply, sent=True)
        if reply.code == _CLOSING:
            self._close(reply)
        elif self._is_last:
            self.connection.drop(STOPPED)
        elif self._commanded is None:
            self.go_on()

    # Endings

    def _is_last_word(self, reply: Reply) -> bool:
        """The server says 421 and hangs up: that is its answer to the one being commanded."""
        if reply.code != _CLOSING:
            return False
        attempt, self._commanded = self._commanded, None
        if attempt is not None:
            self._end_by(attempt, reply)
        self._close(reply)
        return True

    def _close(self, reply: Reply) -> None:
        self._closing = reply
        self.connection.drop(f"The server is closing: {reply.code} {reply.text}")

    def _interrupted(self, reply: Reply) -> None:
        """A reply before its time: in the middle of a body it refuses the message, which has no dot."""
        attempt = self._sending
        if attempt is not None and not attempt.dot_written and reply.code >= 400:
            self._sending = None
            self._end_by(attempt, reply)
        if reply.code == _CLOSING:
            self._closing = reply

    def _lost(self, reason: str) -> None:
        sending, self._sending = self._sending, None
        commanded, self._commanded = self._commanded, None
        broke = sending is not None or commanded is not None
        self.connection.is_dead_end = broke and not self.connection.has_delivered
        if sending is not None:
            dotted = sending.dot_written
            self._end(sending, Verdict.DEFERRED, reason, in_doubt=dotted, sent=dotted)
        if commanded is not None:
            if commanded.refusal is not None:
                self._end_by(commanded, commanded.refusal)
            elif commanded.was_heard or not self.office.put_back(commanded, reason):
                self._end(commanded, Verdict.DEFERRED, reason)
        self.office.gone(self, closing=self._closing)

    def _withhold(self, attempt: Attempt, why: str) -> None:
        self._end(attempt, Verdict.WITHHELD, why)

    def _end_by(self, attempt: Attempt, reply: Reply, *, sent: bool = False) -> None:
        verdict = judge(reply.code, reply.enhanced, reply.text, sent=sent)
        self.office.heard(verdict, reply)
        self._end(attempt, verdict, reply.text, code=reply.code, enhanced=reply.enhanced, sent=sent)

    def _end(
        self,
        attempt: Attempt,
        verdict: Verdict,
        text: str,
        *,
        code: int = 0,
        enhanced: str = "",
        in_doubt: bool = False,
        sent: bool = False,
    ) -> None:
        outcome = attempt.outcome(
            verdict,
            text,
            host=self.connection.host,
            tls=self.connection.tls,
            code=code,
            enhanced=enhanced,
            in_doubt=in_doubt,
            sent=sent,
        )
        try:
            write_down(self.office.journal, attempt, outcome)
        except JournalUnwritable as error:
            self.office.failed(error)
        attempt.batch.report(outcome)
