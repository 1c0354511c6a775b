"""One upstream: its transports, what is known of its health, and what it cannot bear."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from sinkhole.errors import UpstreamError
from sinkhole.protocol.message import Message
from sinkhole.protocol.types import Rcode
from sinkhole.upstream.address import Scheme, UpstreamAddress
from sinkhole.upstream.ask import Ask, Budget
from sinkhole.upstream.failure import AnswerTruncated, CaseChanged, EdnsRefused, UpstreamFailure
from sinkhole.upstream.health import Health
from sinkhole.upstream.locator import Locator
from sinkhole.upstream.stream import Locate, StreamClient
from sinkhole.upstream.tls import Trust
from sinkhole.upstream.udp import ask_udp

QUIRK_MEMORY = 3600.0
"""Seconds until an upstream that could not bear EDNS or mixed case is tried with it again."""

_EDNS_REFUSALS = frozenset((Rcode.FORMERR, Rcode.NOTIMP, Rcode.BADVERS))


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
        port: port of both.
        randomize_case: mix the letter case of names.
        clock: monotonic seconds.
    """

    def __init__(self, locate: Locate, port: int, *, randomize_case: bool, clock: Callable[[], float]) -> None:
        self._locate = locate
        self._port = port
        self._randomize_case = randomize_case
        self._clock = clock
        self._stream = StreamClient(locate, port)
        self._stream_until = float("-inf")

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float) -> Message:
        """Send the question and return its answer; over TCP if that is truncated, or in the wrong letter case.

        Raises:
            EdnsRefused: only an error without question came, to a query with EDNS.
            UpstreamTimeout: no answer in time.
            UpstreamFailure: no way to the upstream, or its answer cannot be used.
        """
        if self._clock() >= self._stream_until:
            try:
                async with asyncio.timeout(budget.time_for(timeout)):
                    host = await self._locate()
            except TimeoutError as error:
                raise UpstreamFailure("the upstream's name could not be looked up in time") from error
            try:
                return await ask_udp(
                    ask, host, self._port, budget, timeout=timeout, randomize_case=self._randomize_case
                )
            except AnswerTruncated:
                pass
            except CaseChanged:
                # From now on by TCP, which needs no such trick: without it, whoever can make us see one wrong
                # letter could switch the protection off.
                self._stream_until = self._clock() + QUIRK_MEMORY
        return await self._stream.ask(ask, budget, timeout=timeout)

    async def close(self) -> None:
        """Close all connections."""
        await self._stream.close()


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
        self._clock = clock
        self._plain_until = float("-inf")

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float) -> Message:
        """Ask it; without EDNS when it shows that it does not understand that (RFC 6891, section 7).

        Raises:
            UpstreamTimeout: no answer in time.
            UpstreamFailure: no way to it, or its answer cannot be used.
        """
        self.waiting += 1
        try:
            return await self._ask(ask, budget, timeout)
        except UpstreamError:
            if self._locator is not None:
                self._locator.move_on()
            raise
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _ask(self, ask: Ask, budget: Budget, timeout: float) -> Message:
        if self._clock() < self._plain_until:
            ask = replace(ask, edns=False)
        try:
            message = await self._client.ask(ask, budget, timeout=timeout)
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
    return DatagramClient(locate, address.port, randomize_case=randomize_case, clock=clock)


def secure_client(address: UpstreamAddress, locate: Locate, trust: Trust) -> Client:
    """Return what asks an upstream over TLS or HTTPS."""
    if address.scheme is Scheme.TLS:
        return StreamClient(locate, address.port, tls=trust.for_dot(), server_name=address.server_name)
    # The HTTP library takes 20 MB and a tenth of a second to load, and most installations need none.
    from sinkhole.upstream.https import HttpsClient  # noqa: PLC0415

    return HttpsClient(address, locate, trust.for_https())
