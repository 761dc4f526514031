"""From nothing to a connection that takes mail: connect, greeting, EHLO, STARTTLS, AUTH."""

import asyncio
import base64
import ssl
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from email_service.delivery.engine.breaker import Trouble
from email_service.delivery.engine.smtp import ConnectionDown, SmtpConnection
from email_service.delivery.engine.wire import Reply, Timeouts, read_features
from email_service.delivery.routing import Relay


@dataclass(frozen=True, slots=True)
class Door:
    """One server at one address; `name` is what its certificate must say, `host` what outcomes call it.

    `opportunistic`: TLS with any certificate where it can be had, in the clear otherwise.
    """

    name: str
    address: str
    port: int
    host: str
    security: Literal["none", "starttls", "tls", "opportunistic"]
    verify: bool = False
    username: str = ""
    password: str = ""

    @classmethod
    def of(cls, relay: Relay) -> "Door":
        where = (relay.host, relay.host, relay.port, relay.host)
        return cls(*where, relay.security, relay.verify, relay.username, relay.password)

    def __repr__(self) -> str:
        return f"Door({self.host}:{self.port}, {self.security})"


class Unreachable(Exception):
    """No connection that takes mail could be had; the trouble has a code when a server said why."""

    def __init__(self, trouble: Trouble, *, is_tls: bool = False) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble
        self.is_tls = is_tls  # it was TLS that failed, and nothing else


async def open_connection(door: Door, timeouts: Timeouts, hostname: str) -> SmtpConnection:
    """Answer a connection ready for MAIL; raises Unreachable with the reason."""
    if door.security != "opportunistic":
        return await _open(door, timeouts, hostname)
    try:
        return await _open(door, timeouts, hostname)
    except Unreachable as error:
        if not error.is_tls:
            raise
    # What the failed handshake left behind is no connection to speak SMTP on.
    return await _open(replace(door, security="none"), timeouts, hostname)


async def _open(door: Door, timeouts: Timeouts, hostname: str) -> SmtpConnection:
    loop = asyncio.get_running_loop()
    connection = SmtpConnection(loop, timeouts)
    connection.host = door.host
    from_start = door.security == "tls"
    try:
        async with asyncio.timeout(timeouts.connect):
            await loop.create_connection(
                lambda: connection,
                door.address,
                door.port,
                ssl=_context(door) if from_start else None,
                server_hostname=door.name if from_start else None,
                ssl_handshake_timeout=timeouts.starttls if from_start else None,
            )
    except (OSError, TimeoutError, ssl.SSLError) as error:
        why = f"No connection to {door.host}:{door.port}: {error or 'no answer in time'}."
        raise Unreachable(Trouble(why, host=door.host)) from error

    try:
        await _introduce(connection, door, hostname)
    except ConnectionDown as error:
        raise Unreachable(Trouble(str(error), host=door.host)) from error
    except BaseException:
        connection.drop("Not opened.")
        raise
    return connection


async def _introduce(connection: SmtpConnection, door: Door, hostname: str) -> None:
    if door.security == "tls":
        _note_tls(connection, door)
    _accept(connection, await connection.greeting, "greeting")
    await _hello(connection, hostname)
    if door.security == "starttls" or (door.security == "opportunistic" and connection.features.starttls):
        await _start_tls(connection, door)
        await _hello(connection, hostname)
    if door.username:
        await _authenticate(connection, door)
    connection.on_lost = lambda reason: None


async def _hello(connection: SmtpConnection, hostname: str) -> None:
    reply = await connection.command(f"EHLO {hostname}", connection.timeouts.hello)
    if reply.code in (500, 501, 502, 504, 550):
        reply = await connection.command(f"HELO {hostname}", connection.timeouts.hello)
    _accept(connection, reply, "EHLO")
    connection.features = read_features(reply)


async def _start_tls(connection: SmtpConnection, door: Door) -> None:
    if not connection.features.starttls:
        connection.drop("No STARTTLS.")
        why = f"{door.host} does not offer STARTTLS, and nothing is sent without it."
        raise Unreachable(Trouble(why, host=door.host))
    try:
        reply = await connection.command("STARTTLS", connection.timeouts.starttls, last=True)
        _accept(connection, reply, "STARTTLS")
        transport = await connection.loop.start_tls(
            connection.transport,
            connection,
            _context(door),
            server_hostname=door.name,
            ssl_handshake_timeout=connection.timeouts.starttls,
        )
        if transport is None or connection.is_down:
            raise ConnectionDown("The connection was lost during STARTTLS.")
    except Unreachable as error:
        raise Unreachable(error.trouble, is_tls=True) from error
    except (ConnectionDown, OSError, TimeoutError, ssl.SSLError) as error:
        connection.drop(f"TLS failed: {error}.")
        why = f"TLS with {door.host} failed: {error}."
        raise Unreachable(Trouble(why, host=door.host), is_tls=True) from error
    connection.adopt(transport)
    connection.release()
    _note_tls(connection, door)


async def _authenticate(connection: SmtpConnection, door: Door) -> None:
    offered = connection.features.auth
    timeout = connection.timeouts.auth
    if "PLAIN" in offered:
        secret = _base64(f"\0{door.username}\0{door.password}")
        reply = await connection.command(f"AUTH PLAIN {secret}", timeout)
    elif "LOGIN" in offered:
        reply = await connection.command("AUTH LOGIN", timeout)
        for answer in (door.username, door.password):
            if reply.code == 334:
                reply = await connection.command(_base64(answer), timeout)
    else:
        connection.drop("No way to authenticate.")
        why = f"{door.host} offers neither AUTH PLAIN nor AUTH LOGIN."
        raise Unreachable(Trouble(why, host=door.host))
    _accept(connection, reply, "AUTH")


def _accept(connection: SmtpConnection, reply: Reply, stage: str) -> None:
    if not reply.is_positive:
        connection.drop(f"Refused at {stage}.")
        why = f"Refused at {stage}: {reply.text}"
        raise Unreachable(Trouble(why, reply.code, reply.enhanced, connection.host))


def _context(door: Door) -> ssl.SSLContext:
    if door.security == "opportunistic":
        return _lenient()
    context = ssl.create_default_context()
    if not door.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@cache
def _lenient() -> ssl.SSLContext:
    """Old TLS with any certificate still keeps out those who only listen; the clear keeps out nobody."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def _note_tls(connection: SmtpConnection, door: Door) -> None:
    secured = connection.transport.get_extra_info("ssl_object")
    cipher = secured.cipher() if secured is not None else None
    if cipher:
        connection.tls = f"{secured.version()} {cipher[0]}" + ("" if door.verify else " unverified")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
