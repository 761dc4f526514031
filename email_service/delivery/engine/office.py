"""What couriers, the pools they work for and the engine know of each other."""

from collections.abc import Callable
from typing import Protocol

from email_service.delivery.engine.attempts import Attempt
from email_service.delivery.engine.journal import Journal
from email_service.delivery.engine.shared import Shared
from email_service.delivery.engine.smtp import SmtpConnection
from email_service.delivery.engine.wire import Reply
from email_service.delivery.replies import Verdict


class Works(Protocol):
    """A courier, as the pool sees it."""

    connection: SmtpConnection
    idle_since: float

    @property
    def is_idle(self) -> bool: ...

    def go_on(self) -> None: ...

    def withdraw(self) -> None: ...

    def quit(self) -> None: ...


class Office(Protocol):
    """What a courier asks of the pool it works for."""

    journal: Journal

    def take(self) -> Attempt | None: ...

    def put_first(self, attempt: Attempt) -> None: ...

    def allows(self, attempt: Attempt) -> bool: ...

    def put_back(self, attempt: Attempt, reason: str) -> bool: ...

    def after_sync(self, go_on: Callable[[], None]) -> None: ...

    def idle(self, courier: Works) -> None: ...

    def gone(self, courier: Works, *, closing: Reply | None) -> None: ...

    def heard(self, verdict: Verdict, reply: Reply) -> None: ...

    def failed(self, error: Exception) -> None: ...


class Way(Protocol):
    """All that an engine sends through, as the engine sees it: one pool, or one for each destination."""

    shared: Shared

    @property
    def connections(self) -> int: ...

    def put(self, attempts: list[Attempt]) -> None: ...

    def withdraw(self) -> None: ...

    def abort(self, reason: str) -> None: ...

    async def quit(self) -> None: ...
