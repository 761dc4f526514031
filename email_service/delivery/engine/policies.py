"""MTA-STS policies of destinations: fetched over HTTPS, kept as long as they say."""

import asyncio
import http.client
import io
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from email_service.delivery.engine.lookup import Lookup, Unknown
from email_service.delivery.networks import Network, may_connect
from email_service.delivery.sts import NO_POLICY, Policy, read_policy, read_record

_SECONDS = 10.0
_MOST_OCTETS = 64 * 1024
_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Kept:
    policy: Policy
    id: str
    until: float


class Policies:
    def __init__(self, lookup: Lookup, *, port: int, allowed: Sequence[Network]) -> None:
        self._lookup = lookup
        self._port = port
        self._allowed = allowed
        self._kept: dict[str, _Kept] = {}

    async def policy(self, domain: str) -> Policy:
        """Answer the domain's policy; one that is still valid outlives a record or a server that is gone."""
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(domain)
        if kept is not None and kept.until <= now:
            kept = None
        known = kept.policy if kept else NO_POLICY
        try:
            record = read_record(list((await self._lookup.texts(f"_mta-sts.{domain}")).values))
        except Unknown:
            return known
        if not record or (kept is not None and kept.id == record):
            return known
        fetched = await self._fetch(f"mta-sts.{domain}")
        if fetched is None:
            return known
        while len(self._kept) >= _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[domain] = _Kept(fetched, record, now + fetched.max_age)
        return fetched

    async def _fetch(self, host: str) -> Policy | None:
        try:
            async with asyncio.timeout(_SECONDS):
                addresses, _ = await self._lookup.addresses(host)
                for address in addresses:
                    if may_connect(address, self._allowed):
                        try:
                            return _read(await self._get(address, host))
                        except (OSError, ssl.SSLError):
                            continue
        except (Unknown, TimeoutError, ValueError, http.client.HTTPException):
            pass
        return None

    async def _get(self, address: str, host: str) -> bytes:
        """Ask for the policy, following nothing, reading not more than it may be long."""
        reader, writer = await asyncio.open_connection(
            address, self._port, ssl=ssl.create_default_context(), server_hostname=host
        )
        try:
            writer.write(
                f"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {host}\r\n"
                "Accept: text/plain\r\nConnection: close\r\n\r\n".encode("ascii")
            )
            answer = b""
            while piece := await reader.read(_MOST_OCTETS):
                answer += piece
                if len(answer) > _MOST_OCTETS:
                    raise ValueError("The policy is too long.")
            return answer
        finally:
            writer.transport.abort()


class _Answer:
    """What http.client reads an answer from, in place of a socket."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._octets)


def _read(octets: bytes) -> Policy | None:
    response = http.client.HTTPResponse(_Answer(octets))  # type: ignore[arg-type]
    response.begin()
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if response.status != 200 or kind != "text/plain":
        return None
    return read_policy(response.read().decode("utf-8"))
