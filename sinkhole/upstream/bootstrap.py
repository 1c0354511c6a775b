"""Look up the host names of upstreams, by plain DNS and never through ourselves."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sinkhole.errors import FormError, UpstreamError
from sinkhole.log import Log
from sinkhole.protocol.message import Message
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import cname_target
from sinkhole.protocol.svcb import address_to_text
from sinkhole.protocol.types import QClass, QType, Rcode
from sinkhole.upstream.ask import Ask, Budget, Packets
from sinkhole.upstream.failure import UpstreamFailure
from sinkhole.upstream.server import Server

SHORTEST_LIFE = 60.0
LONGEST_LIFE = 86_400.0
RETRY_AFTER = 1.0
"""Seconds until a failed look-up is tried again: a start without network recovers as soon as there is one."""

_PACKETS = 12
_log = Log("upstream")


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: tuple[str, ...]
    until: float


class Bootstrap:
    """Look up host names at given resolvers, in order, and remember the addresses.

    Args:
        servers: gives the plain resolvers.
        timeout: seconds one of them may take.
        clock: monotonic seconds.
    """

    def __init__(
        self, servers: Callable[[], Sequence[Server]], timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers = servers
        self._timeout = timeout
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._flights: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host, IPv4 first; old ones when no new ones are to be had.

        Raises:
            UpstreamFailure: there are none.
        """
        known = self._known.get(host)
        if known is None or self._clock() >= known.until:
            if host not in self._flights:
                flight = asyncio.get_running_loop().create_task(self._refresh(host))
                self._flights[host] = flight
                flight.add_done_callback(lambda _: self._flights.pop(host, None))
            # Old addresses serve on while new ones are looked up; they are right nearly always.
            if known is None or not known.addresses:
                return _or_failure(await asyncio.shield(self._flights[host]))
        return _or_failure(known.addresses)

    async def close(self) -> None:
        """Stop the look-ups that are under way."""
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _refresh(self, host: str) -> tuple[str, ...]:
        found: list[str] = []
        lives: list[float] = []
        for addresses, life in await asyncio.gather(self._look_up(host, QType.A), self._look_up(host, QType.AAAA)):
            found += addresses
            if addresses:
                lives.append(life)
        if found:
            self._known[host] = _Known(tuple(found), self._clock() + min(lives))
        else:
            _log.warning("upstream.bootstrap_failed", host=host)
            before = self._known.get(host)
            self._known[host] = _Known(before.addresses if before else (), self._clock() + RETRY_AFTER)
        return self._known[host].addresses

    async def _look_up(self, host: str, qtype: int) -> tuple[list[str], float]:
        ask = Ask(Question(name_from_text(host), qtype, QClass.IN))
        for server in self._servers():
            budget = Budget(Packets(_PACKETS), 2 * self._timeout, self._clock)
            try:
                message = await server.ask(ask, budget, timeout=self._timeout)
                if message.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN):
                    return addresses_in(message, ask.question)
            except (UpstreamError, FormError):
                continue
        return [], SHORTEST_LIFE


def addresses_in(message: Message, question: Question) -> tuple[list[str], float]:
    """Return the addresses that answer a question, following its CNAMEs, and how many seconds they hold."""
    wanted = {question.key}
    addresses: list[str] = []
    life = LONGEST_LIFE
    for record in message.answer:
        if record.owner.lower() not in wanted:
            continue
        if record.rtype == QType.CNAME:
            wanted.add(cname_target(record).lower())
        elif record.rtype == question.qtype:
            addresses.append(address_to_text(record.rdata))
        life = min(life, record.ttl)
    return addresses, max(life, SHORTEST_LIFE)


def _or_failure(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if not addresses:
        raise UpstreamFailure("the upstream's name could not be looked up")
    return addresses
