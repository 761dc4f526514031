"""Sending directly: each message to the lane of its destination, found in the DNS when it is first needed."""

import asyncio
import ipaddress
from collections import defaultdict
from dataclasses import replace

from email_service.delivery.engine.attempts import STOPPED, Attempt
from email_service.delivery.engine.lane import Lane
from email_service.delivery.engine.limits import Limits
from email_service.delivery.engine.lookup import UNKNOWN_LIVES, Lookup
from email_service.delivery.engine.policies import Policies
from email_service.delivery.engine.shared import Shared
from email_service.delivery.replies import Verdict
from email_service.delivery.routing import Direct, NoRoute, Route, recipient_domain

_LOOK_UPS = 50  # at once
_MOST_ROUTES = 20_000
_FORGOTTEN_AFTER = 3600.0

Key = tuple[tuple[tuple[str, ...], ...], bool]


def for_direct(limits: Limits) -> Limits:
    """Adapt what is allowed: destinations wait beside each other, and a tarpit gets a minute a command."""
    waits = limits.timeouts
    minute = limits.longest_wait
    timeouts = replace(
        waits,
        starttls=min(waits.starttls, minute),
        mail=min(waits.mail, minute),
        rcpt=min(waits.rcpt, minute),
        data=min(waits.data, minute),
    )
    return replace(limits, timeouts=timeouts)


class Lanes:
    """Implements `Way`. Lives in the loop's thread; `connections` is asked from any."""

    def __init__(self, shared: Shared, direct: Direct, limits: Limits) -> None:
        self.shared = shared
        self._direct = direct
        self._limits = limits
        self._allowed = tuple(ipaddress.ip_network(network) for network in direct.allowed_networks)
        self._lookup = Lookup(direct.nameservers, direct.dns_timeout)
        self._policies = Policies(self._lookup, port=direct.policy_port, allowed=self._allowed)
        self._routes: dict[str, tuple[Route | NoRoute, float]] = {}
        self._lanes: dict[Key, Lane] = {}
        self._busy: set[Lane] = set()
        self._unrouted: defaultdict[str, list[Attempt]] = defaultdict(list)
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_LOOK_UPS)
        self._every = min(1.0, limits.patience / 4)
        shared.loop.call_later(self._every, self._look)

    # For the engine

    @property
    def connections(self) -> int:
        return sum(lane.connections for lane in tuple(self._lanes.values()))

    def put(self, attempts: list[Attempt]) -> None:
        now = self.shared.loop.time()
        ready: defaultdict[Route | NoRoute, list[Attempt]] = defaultdict(list)
        for attempt in attempts:
            try:
                domain = recipient_domain(attempt.envelope.recipient)
            except ValueError as error:
                _end(attempt, NoRoute(str(error), "5.1.3", 0, is_final=True))
                continue
            route, until = self._routes.get(domain, (None, 0.0))
            if route is None or until <= now:
                self._unrouted[domain].append(attempt)
                if domain not in self._asking:
                    self._asking[domain] = self.shared.loop.create_task(self._find(domain))
            else:
                ready[route].append(attempt)
        for route, found in ready.items():
            self._send(found, route)

    def withdraw(self) -> None:
        """Withhold all that has not reached its dot."""
        unrouted, self._unrouted = self._unrouted, defaultdict(list)
        for attempts in unrouted.values():
            for attempt in attempts:
                attempt.batch.report(attempt.outcome(Verdict.WITHHELD, STOPPED, host="", tls=""))
        for lane in list(self._lanes.values()):
            lane.withdraw()

    def abort(self, reason: str) -> None:
        for lane in list(self._lanes.values()):
            lane.abort(reason)

    async def quit(self) -> None:
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, *(lane.quit() for lane in self._lanes.values()), return_exceptions=True)

    # Inside

    async def _find(self, domain: str) -> None:
        """Find the domain's route, and send on what waits for it."""
        try:
            async with self._turns:
                route = await self._route(domain)
        except Exception as error:  # no message may wait for ever
            route = NoRoute(f"The way to {domain} was not found: {error!r}.", "4.4.3", UNKNOWN_LIVES, False)
        finally:
            del self._asking[domain]
        while len(self._routes) >= _MOST_ROUTES:
            self._routes.pop(next(iter(self._routes)))
        self._routes[domain] = route, self.shared.loop.time() + route.lives
        self._send(self._unrouted.pop(domain, []), route)

    def _send(self, attempts: list[Attempt], route: Route | NoRoute) -> None:
        if isinstance(route, NoRoute):
            for attempt in attempts:
                _end(attempt, route)
        elif attempts:
            lane = self._lane(route)
            self._busy.add(lane)
            lane.put(attempts)

    async def _route(self, domain: str) -> Route | NoRoute:
        if domain.startswith("["):
            return NoRoute("Mail goes to domains, not to bare addresses.", "5.1.2", UNKNOWN_LIVES, True)
        route, policy = await asyncio.gather(self._lookup.route(domain), self._policies.policy(domain))
        if not isinstance(route, Route) or not policy.is_enforced:
            return route
        allowed = (tuple(host for host in rank if policy.covers(host)) for rank in route.ranks)
        ranks = tuple(rank for rank in allowed if rank)
        if not ranks:
            text = f"The MTA-STS policy of {domain} names none of its servers."
            return NoRoute(text, "4.7.5", UNKNOWN_LIVES, is_final=False)
        return Route(ranks, route.lives, must_verify=True)

    def _lane(self, route: Route) -> Lane:
        key = _key(route)
        if key not in self._lanes:
            self._lanes[key] = Lane(
                self.shared,
                route,
                self._lookup,
                port=self._direct.port,
                connections=self._limits.connections or self._direct.connections,
                allowed=self._allowed,
                limits=self._limits,
            )
        return self._lanes[key]

    def _look(self) -> None:
        """Free what waits too long, close what is idle, forget what is no longer used."""
        self.shared.loop.call_later(self._every, self._look)
        now = self.shared.loop.time()
        is_crowded = self.shared.connections >= self._limits.all_connections
        for key, lane in list(self._lanes.items()):
            lane.look()
            lane.tidy(at_once=is_crowded)
            if not lane.waiting:
                self._busy.discard(lane)
            if lane.is_at_rest and now - lane.used_at > _FORGOTTEN_AFTER:
                del self._lanes[key]


def _key(route: Route) -> Key:
    return route.ranks, route.must_verify


def _end(attempt: Attempt, route: NoRoute) -> None:
    verdict = Verdict.FAILED if route.is_final else Verdict.DEFERRED
    attempt.batch.report(attempt.outcome(verdict, route.text, host="", tls="", enhanced=route.enhanced))
