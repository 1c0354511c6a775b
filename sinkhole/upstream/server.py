"""One upstream: its transports, what is known of its health, and what it cannot bear."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from sinkhole.errors import UpstreamError
from sinkhole.protocol.message import Message
from sinkhole.protocol.types import Rcode
from sinkhole.upstream.address import Scheme, UpstreamAddress
from sinkhole.upstream.ask import Ask, Budget
from sinkhole.upstream.failure import AnswerTruncated, CaseChanged, EdnsRefused, UpstreamFailure
from sinkhole.upstream.flight import Flight, Outcome
from sinkhole.upstream.health import Health
from sinkhole.upstream.locator import Locator
from sinkhole.upstream.stream import Locate, StreamClient
from sinkhole.upstream.tls import Trust
from sinkhole.upstream.udp import Datagrams

QUIRK_MEMORY: Final = 3600.0
"""Seconds until an upstream that could not bear EDNS or mixed case is tried with it again."""

_EDNS_REFUSALS: Final = frozenset((Rcode.FORMERR, Rcode.NOTIMP, Rcode.BADVERS))


class Client(Protocol):
    """What asks over one transport."""

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float) -> Message:
        """Send the question and return its answer."""

    async def close(self) -> None:
        """Close all connections."""


class DatagramClient:
    """Ask over UDP, and over TCP what UDP cannot answer.

    Args:
        locate: gives the IP address.
        host: the IP address where there is nothing to locate.
        port: port of both.
        randomize_case: mix the letter case of names.
        clock: monotonic seconds.
    """

    def __init__(
        self, locate: Locate, port: int, *, randomize_case: bool, clock: Callable[[], float], host: str | None = None
    ) -> None:
        self._locate = locate
        self._host = host
        self._port = port
        self._randomize_case = randomize_case
        self._clock = clock
        self._stream = StreamClient(locate, port)
        self._datagrams = Datagrams(port, randomize_case=randomize_case)
        self._stream_until = float("-inf")

    def begin(self, ask: Ask, budget: Budget, *, timeout: float) -> Flight | None:
        """Send the question over UDP and return at once; None if it must go over TCP, or a name be looked up first.

        Raises:
            UpstreamTimeout: there is no time left.
            UpstreamFailure: no more may be sent.
        """
        if self._host is None or self._clock() < self._stream_until:
            return None
        return self._datagrams.begin(ask, self._host, budget, timeout=timeout)

    def put(self, flight: Flight, head: bytes, tail: bytes, now: float, timeout: float) -> bool:
        """Send a query, given in pieces, over UDP; return False if it must go over TCP, or a name be looked up.

        Args:
            flight: of its name.
            head, tail: what stands before the name in the query, the id apart, and after it, with an OPT record.
            now: monotonic seconds.
            timeout: seconds to wait.
        """
        if self._host is None or now < self._stream_until:
            return False
        self._datagrams.put(flight, head, tail, self._host, timeout)
        return True

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float) -> Message:
        """Send the question and return its answer; over TCP if that is truncated, or in the wrong letter case.

        Raises:
            EdnsRefused: only an error without question came, to a query with EDNS.
            UpstreamTimeout: no answer in time.
            UpstreamFailure: no way to the upstream, or its answer cannot be used.
        """
        outcome: Outcome | None = None
        if self._clock() >= self._stream_until:
            outcome = await self._ask_udp(ask, budget, timeout)
        return await self.finish(ask, budget, outcome, timeout=timeout)

    async def finish(self, ask: Ask, budget: Budget, outcome: Outcome | None, *, timeout: float) -> Message:
        """Return the answer that came over UDP; if it was of no use there or nobody asked, ask over TCP.

        Raises:
            EdnsRefused, UpstreamTimeout, UpstreamFailure: as `ask`.
        """
        if isinstance(outcome, CaseChanged):
            # From now on by TCP, which needs no such trick: without it, whoever can make us see one wrong
            # letter could switch the protection off.
            self._stream_until = self._clock() + QUIRK_MEMORY
        elif isinstance(outcome, Message):
            return outcome
        elif outcome is not None and not isinstance(outcome, AnswerTruncated):
            raise outcome
        return await self._stream.ask(ask, budget, timeout=timeout)

    async def close(self) -> None:
        """Close all connections."""
        self.rest()
        await self._stream.close()

    def rest(self) -> None:
        """Close the socket that is open for the next query."""
        self._datagrams.close()

    async def _ask_udp(self, ask: Ask, budget: Budget, timeout: float) -> Outcome:
        try:
            async with asyncio.timeout(budget.time_for(timeout)):
                host = await self._locate()
        except TimeoutError as error:
            raise UpstreamFailure("the upstream's name could not be looked up in time") from error
        try:
            return await self._datagrams.begin(ask, host, budget, timeout=timeout)
        except UpstreamError as error:
            return error


class Server:
    """One upstream.

    Args:
        address: where it is.
        client: asks it.
        locator: told to move on to another of its IP addresses after a failure; None: there is but one.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        address: UpstreamAddress,
        client: Client,
        locator: Locator | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = address
        self._locator = locator
        self.health = Health(clock)
        self.waiting = 0
        self._client = client
        self._datagrams = client if isinstance(client, DatagramClient) else None
        self._stream = client if isinstance(client, StreamClient) else None
        self._clock = clock
        self._plain_until = float("-inf")

    def begin(self, ask: Ask, budget: Budget, *, timeout: float) -> Flight | None:
        """Send the question and return at once, if this is the common case; else do nothing and return None.

        Raises:
            UpstreamTimeout: there is no time left.
            UpstreamFailure: no more may be sent.
        """
        if self._datagrams is None or self._clock() < self._plain_until:
            return None
        return self._datagrams.begin(ask, budget, timeout=timeout)

    def put(self, flight: Flight, head: bytes, tail: bytes, now: float, timeout: float) -> bool:
        """Send a query with EDNS, as `DatagramClient.put` does; return whether this is the common case."""
        if now < self._plain_until:
            return False
        if self._datagrams is not None:
            return self._datagrams.put(flight, head, tail, now, timeout)
        return self._stream is not None and self._stream.put(flight, head, tail, timeout)

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float, first: Outcome | None = None) -> Message:
        """Ask it; without EDNS when it shows that it does not understand that (RFC 6891, section 7).

        Args:
            ask: the question.
            budget: what the client's query may still cost.
            timeout: seconds one message may take.
            first: what came of the question, if it was sent already (`begin`).

        Raises:
            UpstreamTimeout: no answer in time.
            UpstreamFailure: no way to it, or its answer cannot be used.
        """
        self.waiting += 1
        try:
            return await self._ask(ask, budget, timeout, first)
        except UpstreamError:
            if self._locator is not None:
                self._locator.move_on()
            raise
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def rest(self) -> None:
        """Keep no socket open for the next query over UDP; those that wait are not touched."""
        if self._datagrams is not None:
            self._datagrams.rest()

    async def _ask(self, ask: Ask, budget: Budget, timeout: float, first: Outcome | None) -> Message:
        if first is None and self._clock() < self._plain_until:
            ask = replace(ask, edns=False)
        try:
            direct = self._datagrams or self._stream
            if first is None or direct is None:
                message = await self._client.ask(ask, budget, timeout=timeout)
            else:
                message = await direct.finish(ask, budget, first, timeout=timeout)
            if not ask.edns or message.rcode not in _EDNS_REFUSALS:
                return message
        except EdnsRefused:
            # Without EDNS in the query no client raises it, so the second try below is the last.
            pass
        message = await self._client.ask(replace(ask, edns=False), budget, timeout=timeout)
        if message.rcode not in _EDNS_REFUSALS:
            self._plain_until = self._clock() + QUIRK_MEMORY
        return message


def plain_client(
    address: UpstreamAddress, locate: Locate, *, randomize_case: bool, clock: Callable[[], float] = time.monotonic
) -> Client:
    """Return what asks an upstream over UDP or TCP."""
    if address.scheme is Scheme.TCP:
        return StreamClient(locate, address.port)
    host = address.host if address.is_literal else None
    return DatagramClient(locate, address.port, randomize_case=randomize_case, clock=clock, host=host)


def secure_client(address: UpstreamAddress, locate: Locate, trust: Trust) -> Client:
    """Return what asks an upstream over TLS or HTTPS."""
    if address.scheme is Scheme.TLS:
        return StreamClient(locate, address.port, tls=trust.offering("dot"), server_name=address.server_name)
    # The HTTP libraries take 20 MB and a tenth of a second to load, and most installations need none.
    from sinkhole.upstream.https import HttpsClient  # noqa: PLC0415

    return HttpsClient(address, locate, trust.offering("h2", "http/1.1"), trust.offering("http/1.1"))
