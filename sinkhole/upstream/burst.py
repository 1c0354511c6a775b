"""A socket with a port of its own, and the queries that leave through it at the same moment."""

import asyncio
import socket
from typing import Final

from sinkhole.errors import FormError, UpstreamError
from sinkhole.protocol.addresses import read_addresses
from sinkhole.protocol.message import read_message
from sinkhole.upstream.failure import AnswerTruncated, CaseChanged, EdnsRefused, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Carrier, Flight, Landed, settle
from sinkhole.upstream.matching import Match, is_truncated, match, with_name
from sinkhole.upstream.ready import Ready
from sinkhole.upstream.turn import Unfinished
from sinkhole.upstream.volley import Volley
from sinkhole.upstream.wait import NEVER

GRACE: Final = 0.5
"""Seconds the wait goes on after a message that nearly fits: long enough for the true answer to overtake a forgery."""

MOST: Final = 16
"""Queries of one burst. With more of them a port that became known would be worth more, and little time is saved.

At most as many answers are taken in one go, so that a flood at one socket does not hold up the others.
"""

_FRESH: Final = 0.1
"""Seconds that a socket may be open before queries leave through it: who looks for open ports has no longer to find it
than he has while a far server is waited for."""


_INET: Final = int(socket.AF_INET)
_INET6: Final = int(socket.AF_INET6)
_KIND: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK


class Burst(Carrier):
    """Sends queries through one fresh socket, and waits for their answers.

    `began` is when it was made or taken up, in loop time: its queries' waits are counted from there, at most a turn too
    early.

    The socket is connected, so the kernel drops what comes from another address or port. It is closed when nobody
    waits any more.

    Args:
        loop: the running event loop.
        ready: watches its socket.
        volley: sends and receives.
        host: IP address of the upstream.
        port: its port.
        after: finished when the last answer came and nobody waits for anything of this.
    """

    __slots__ = ("_after", "_is_disturbed", "_ready", "_sock", "_to", "_volley", "began", "flights", "is_sent")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, ready: Ready, volley: Volley, host: str, port: int, after: Unfinished
    ) -> None:  # fmt: skip
        super().__init__(loop)
        self.began = loop.time()
        self._ready = ready
        self._volley = volley
        self._to = (host, port)
        self._after = after
        self._sock: socket.SocketType | None = None
        self._is_disturbed = False
        self.is_sent = False
        self.flights: dict[bytes, Flight] = {}

    def prepare(self) -> None:
        """Open the socket before there is a query; whoever has one takes it up (`take_up`) or closes it (`close`)."""
        try:
            self._ready.watch(self._open().fileno(), self)
        except OSError:
            self.close()  # it is tried again, and told of, when there is a query

    def take_up(self, host: str) -> bool:
        """Begin with the socket that was opened before; return False if a query to `host` should have another."""
        now = self.loop.time()
        if self._sock is None or host != self._to[0] or now - self.began > _FRESH:
            return False
        self.began = now
        return True

    def send(self) -> None:
        """Send what has been put into `flights`, by id; nothing can be added after."""
        if self.is_sent:
            return
        self.is_sent = True
        if not self.flights:
            self.close()
            return
        # What came before a query left cannot be an answer, and its sender need not have been quick: of many forgeries
        # that wait here already one might fit.
        if self._sock is not None and not self._volley.is_silent(self._sock):
            self.close()
        is_watched = self._sock is not None
        try:
            sock = self._open() if self._sock is None else self._sock
            self._volley.send(sock, [flight.sent for flight in self.flights.values()])
        except OSError as error:
            self._fail(error)
            return
        if not is_watched:
            self._ready.watch(sock.fileno(), self)
        self._ready.deadlines.watch(self, self._soonest())
        self._ready.deadlines.vigil.begin(self.loop, self)

    def close(self) -> None:
        """Close the socket, if there is one."""
        sock, self._sock = self._sock, None
        if sock is not None:
            self._ready.deadlines.forget(self)
            self._ready.forget(sock.fileno())
            sock.close()

    def _open(self) -> socket.SocketType:
        # The port is the kernel's choice. Not `socket.socket`: its cover in Python costs as much as a system call.
        sock = self._sock = socket.SocketType(_INET6 if ":" in self._to[0] else _INET, _KIND)
        sock.connect(self._to)
        return sock

    def finish(self) -> None:
        """Send, or close the socket behind the last answer."""
        if self.is_sent:
            self._rest()
            self._after.finish()
        else:
            self.send()

    def forget(self, flight: Flight) -> None:
        """Wait no more for one answer."""
        if self.flights.get(flight.id) is flight:
            del self.flights[flight.id]
            self._rest()

    def receive(self) -> None:
        """Take in the answers that are there."""
        sock, flights = self._sock, self.flights
        if sock is None:
            return
        if not self.is_sent or not flights:
            self.close()  # what comes before a query leaves, or behind the last answer, is no answer
            return
        try:
            arrived = self._volley.receive(sock, MOST if self._is_disturbed else len(flights))
        except OSError as error:
            # Port unreachable, as a rule: no use to wait for the time-out.
            self._fail(error)
            return
        for got in arrived:
            message_id = got[:2]
            flight = flights.get(message_id)
            if flight is None:
                self._is_disturbed = True  # where one comes unasked there are more
                continue
            outcome = self._read(flight, got)
            if outcome is not None:
                del flights[message_id]
                settle(flight, outcome)
        if arrived and not flights:
            self._ready.deadlines.forget(self)
            self._ready.deadlines.vigil.after(self)

    def _read(self, flight: Flight, got: bytes) -> Landed | None:
        """Return what a message says to a query; None if the wait goes on."""
        if flight.plain_end and (addresses := read_addresses(flight.sent, flight.plain_end, got)) is not None:
            return addresses
        name = flight.name
        verdict = match(flight.sent, len(name), got)
        if verdict is Match.ANSWER:
            if is_truncated(got):
                return AnswerTruncated("the answer is truncated")
            try:
                return read_message(with_name(got, name))
            except FormError:
                self._wait_a_little(flight, UpstreamFailure("an answer could not be read"))
        elif verdict is Match.CASE:
            self._wait_a_little(flight, CaseChanged("the letter case of the question was changed"))
        elif verdict is Match.BARE and flight.edns:
            self._wait_a_little(flight, EdnsRefused("an error without a question"))
        return None

    def _wait_a_little(self, flight: Flight, outcome: UpstreamError) -> None:
        flight.near = outcome
        flight.end = min(flight.end, self.loop.time() + GRACE)
        self._ready.deadlines.watch(self, flight.end)

    def _soonest(self) -> float:
        """Return when the first wait is over."""
        end = NEVER
        for flight in self.flights.values():
            end = min(end, flight.end)
        return end

    def expire(self, now: float) -> float:
        """End the waits that are over."""
        for message_id, flight in list(self.flights.items()):
            if flight.end <= now and self.flights.pop(message_id, None) is not None:
                settle(flight, flight.near or UpstreamTimeout("no answer in time"))
        self._rest()
        return self._soonest()

    def _fail(self, error: OSError) -> None:
        flights = tuple(self.flights.values())
        self.flights.clear()
        self._rest()
        for flight in flights:
            failure = UpstreamFailure("the network gave an error")
            failure.__cause__ = error
            settle(flight, failure)

    def _rest(self) -> None:
        """Close the socket if nobody waits."""
        if not self.flights:
            self.close()
