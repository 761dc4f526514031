"""From nothing to a connection that takes mail: connect, greeting, EHLO, STARTTLS, AUTH."""

import asyncio
import base64
import ssl

from email_service.delivery.engine.smtp import ConnectionDown, SmtpConnection
from email_service.delivery.engine.wire import Reply, Timeouts, read_features
from email_service.delivery.routing import Relay


class Unreachable(Exception):
    """No connection that takes mail could be had; `code` and `enhanced` when the server said why."""

    def __init__(self, text: str, code: int = 0, enhanced: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.enhanced = enhanced


async def open_connection(relay: Relay, timeouts: Timeouts, hostname: str) -> SmtpConnection:
    """Answer a connection ready for MAIL; raises Unreachable with the reason."""
    loop = asyncio.get_running_loop()
    connection = SmtpConnection(loop, timeouts)
    try:
        async with asyncio.timeout(timeouts.connect):
            await loop.create_connection(
                lambda: connection,
                relay.host,
                relay.port,
                ssl=_context(relay) if relay.security == "tls" else None,
                server_hostname=relay.host if relay.security == "tls" else None,
                ssl_handshake_timeout=timeouts.starttls if relay.security == "tls" else None,
            )
    except (OSError, TimeoutError, ssl.SSLError) as error:
        raise Unreachable(
            f"No connection to {relay.host}:{relay.port}: {error or 'no answer in time'}."
        ) from error

    try:
        await _introduce(connection, relay, hostname)
    except ConnectionDown as error:
        raise Unreachable(str(error)) from error
    except (OSError, TimeoutError, ssl.SSLError) as error:
        connection.drop(f"TLS failed: {error}.")
        raise Unreachable(f"TLS with {relay.host} failed: {error}.") from error
    except BaseException:
        connection.drop("Not opened.")
        raise
    return connection


async def _introduce(connection: SmtpConnection, relay: Relay, hostname: str) -> None:
    timeouts = connection.timeouts
    if relay.security == "tls":
        _note_tls(connection, relay)
    _accept(connection, await connection.command("", timeouts.greeting), "greeting")
    await _hello(connection, hostname)
    if relay.security == "starttls":
        await _start_tls(connection, relay)
        await _hello(connection, hostname)
    if relay.username:
        await _authenticate(connection, relay)
    connection.on_lost = lambda reason: None


async def _hello(connection: SmtpConnection, hostname: str) -> None:
    reply = await connection.command(f"EHLO {hostname}", connection.timeouts.hello)
    if reply.code in (500, 501, 502, 504, 550):
        reply = await connection.command(f"HELO {hostname}", connection.timeouts.hello)
    _accept(connection, reply, "EHLO")
    connection.features = read_features(reply)


async def _start_tls(connection: SmtpConnection, relay: Relay) -> None:
    if not connection.features.starttls:
        connection.drop("No STARTTLS.")
        raise Unreachable(f"{relay.host} does not offer STARTTLS, and nothing is sent without it.")
    reply = await connection.command("STARTTLS", connection.timeouts.starttls, last=True)
    _accept(connection, reply, "STARTTLS")
    transport = await connection.loop.start_tls(
        connection.transport,
        connection,
        _context(relay),
        server_hostname=relay.host,
        ssl_handshake_timeout=connection.timeouts.starttls,
    )
    if transport is None or connection.is_down:
        raise ConnectionDown("The connection was lost during STARTTLS.")
    connection.adopt(transport)
    connection.release()
    _note_tls(connection, relay)


async def _authenticate(connection: SmtpConnection, relay: Relay) -> None:
    offered = connection.features.auth
    timeout = connection.timeouts.auth
    if "PLAIN" in offered:
        secret = _base64(f"\0{relay.username}\0{relay.password}")
        reply = await connection.command(f"AUTH PLAIN {secret}", timeout)
    elif "LOGIN" in offered:
        reply = await connection.command("AUTH LOGIN", timeout)
        for answer in (relay.username, relay.password):
            if reply.code == 334:
                reply = await connection.command(_base64(answer), timeout)
    else:
        connection.drop("No way to authenticate.")
        raise Unreachable(f"{relay.host} offers neither AUTH PLAIN nor AUTH LOGIN.")
    _accept(connection, reply, "AUTH")


def _accept(connection: SmtpConnection, reply: Reply, stage: str) -> None:
    if not reply.is_positive:
        connection.drop(f"Refused at {stage}.")
        raise Unreachable(f"Refused at {stage}: {reply.text}", reply.code, reply.enhanced)


def _context(relay: Relay) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not relay.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _note_tls(connection: SmtpConnection, relay: Relay) -> None:
    secured = connection.transport.get_extra_info("ssl_object")
    cipher = secured.cipher() if secured is not None else None
    if cipher:
        connection.tls = f"{secured.version()} {cipher[0]}" + ("" if relay.verify else " unverified")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
