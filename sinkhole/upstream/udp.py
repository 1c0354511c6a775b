"""Ask an upstream over UDP.

Queries that are made in the same turn of the event loop leave together, a few through each socket. Every such burst
has a fresh socket, whose port the kernel draws at random from `ip_local_port_range`, clear of reserved ports, which a
bind of our own would not be. With 28,000 ports by default, 16 bits of id and one bit for each letter of the name, a
forger has to hit one of 2^31 and more (RFC 5452, section 9.2); what sharing a port for a moment changes is in
decision 19.
"""

import asyncio
from functools import cache
from typing import Final

from sinkhole.upstream.ask import Ask, Budget, mixed_case
from sinkhole.upstream.burst import MOST, Burst
from sinkhole.upstream.entropy import Entropy
from sinkhole.upstream.flight import Flight
from sinkhole.upstream.ready import Ready, ready_of
from sinkhole.upstream.turn import TURN, Unfinished
from sinkhole.upstream.volley import Volley

_ID_OCTETS: Final = 2
_MOST_SPARE: Final = 2
"""Sockets that are open before there is a query; one too old is closed when the next query comes."""


class Datagrams(Unfinished):
    """Sends queries to one address, in bursts.

    Behind the last answer to a burst the socket of the next is opened: a query that comes alone need not wait for that.
    Where one came while another was on its way, and had to, two are kept open.

    Args:
        port: port of the upstream.
        randomize_case: mix the letter case of names and insist on getting it back.
    """

    __slots__ = (
        "_burst", "_entropy", "_host", "_is_closed", "_loop", "_port", "_randomize_case", "_ready", "_spares",
        "_volley", "_wanted",
    )  # fmt: skip

    def __init__(self, port: int, *, randomize_case: bool) -> None:
        self._port = port
        self._randomize_case = randomize_case
        self._entropy = Entropy()
        self._volley = shared_volley()
        self._burst: Burst | None = None
        self._spares: list[Burst] = []
        self._wanted = 1
        self._is_closed = False
        self._host = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: Ready

    def begin(self, ask: Ask, host: str, budget: Budget, *, timeout: float) -> Flight:
        """Put a query into the next burst; return its flight.

        Args:
            ask: the question.
            host: IP address of the upstream.
            budget: what the client's query may still cost.
            timeout: seconds to wait.

        Raises:
            UpstreamTimeout: the time for the query is over.
            UpstreamFailure: it would be a message too many.
        """
        seconds = budget.time_for(timeout)
        budget.spend()
        flight = Flight(ask.question.name, ask.edns)
        self.put(flight, *ask.frame(), host, seconds)
        return flight

    def put(self, flight: Flight, head: bytes, tail: bytes, host: str, seconds: float) -> None:
        """Put a query into the next burst.

        Args:
            flight: of its name.
            head, tail: what stands before the name in the query, the id apart, and after it.
            host: IP address of the upstream.
            seconds: to wait.
        """
        burst, name = self._burst, flight.name
        if burst is None or burst.is_sent or host != self._host:
            burst = self._next_burst(host)
        flights = burst.flights
        octets = self._entropy.take(_ID_OCTETS + len(name))
        message_id = octets[:_ID_OCTETS]
        while message_id in flights:
            message_id = self._entropy.take(_ID_OCTETS)
        mixed = mixed_case(name, octets[_ID_OCTETS:]) if self._randomize_case else name
        flight.carrier = burst
        flight.id = message_id
        flight.sent = b"".join((message_id, head, mixed, tail))
        flight.end = burst.began + seconds
        flights[message_id] = flight
        if len(flights) >= MOST:
            burst.send()

    def _next_burst(self, host: str) -> Burst:
        if self._burst is not None:
            self._burst.send()
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._ready = loop, ready_of(loop)
        burst = self._burst = self._fresh_burst(loop, host)
        self._host = host
        TURN.later(burst)
        return burst

    def finish(self) -> None:
        """Open the sockets of the next bursts."""
        if self._loop is None or self._is_closed:
            return
        while len(self._spares) < self._wanted:
            spare = self._new_burst(self._loop, self._host)
            spare.prepare()
            self._spares.append(spare)

    def close(self) -> None:
        """Close the sockets through which nothing was sent; queries that wait are not touched, and more may come."""
        self._is_closed = True
        for spare in self._spares:
            spare.close()
        self._spares.clear()

    def _fresh_burst(self, loop: asyncio.AbstractEventLoop, host: str) -> Burst:
        if not self._spares and self._burst is not None and self._burst.flights:
            self._wanted = _MOST_SPARE
        while self._spares:
            spare = self._spares.pop(0)
            if spare.loop is loop and spare.take_up(host):
                return spare
            spare.close()
            self._wanted = 1
        return self._new_burst(loop, host)

    def _new_burst(self, loop: asyncio.AbstractEventLoop, host: str) -> Burst:
        return Burst(loop, self._ready, self._volley, host, self._port, self)


@cache
def shared_volley() -> Volley:
    """Return the best way to send that this system has; its buffers are for one call at a time, so all share them."""
    # It reads declarations in C, which takes a thirtieth of a second, and most commands send no query.
    from sinkhole.upstream.batch import is_supported  # noqa: PLC0415
    from sinkhole.upstream.batch_volley import BatchVolley  # noqa: PLC0415

    return BatchVolley(MOST) if is_supported() else Volley(MOST)
