"""Queries and their answers on one connection, which many share; no I/O.

As `Burst` does for datagrams: queries that are made in the same turn of the event loop leave in one write, and answers
come in whatever order.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from mypy_extensions import mypyc_attr

from sinkhole.errors import FormError
from sinkhole.protocol.addresses import read_addresses
from sinkhole.protocol.framing import FrameReader, frame
from sinkhole.protocol.message import read_message
from sinkhole.upstream.deadlines import PAUSE_FOR_EACH, Deadlines
from sinkhole.upstream.entropy import Entropy
from sinkhole.upstream.failure import ENDED, ConnectionEnded, EdnsRefused, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Carrier, Flight, Landed, settle
from sinkhole.upstream.matching import Match, is_truncated, match, with_name
from sinkhole.upstream.turn import TURN
from sinkhole.upstream.wait import NEVER

Write = Callable[[bytes], object]
Rest = Callable[[], object]
_ID_OCTETS: Final = 2


@mypyc_attr(allow_interpreted_subclasses=True)
class Exchange(Carrier):
    """Sends queries as they come, and matches the answers.

    Args:
        loop: the running event loop.
        deadlines: tells who waited too long.
        write: sends octets.
        rest: called whenever nobody waits any more.

    Attributes:
        flights: who waits, by what tells answers apart, each with the count of `answers` when it began.
        answers: how many came.
        is_retired: whether no further query should come: the other side said so, or somebody waited in vain while
            nobody else had an answer.
    """

    __slots__ = ("_deadlines", "_rest", "_write", "answers", "flights", "is_retired")

    def __init__(self, loop: asyncio.AbstractEventLoop, deadlines: Deadlines, write: Write, rest: Rest) -> None:
        super().__init__(loop)
        self._deadlines = deadlines
        self._write = write
        self._rest = rest
        self.flights: dict[bytes, tuple[Flight, int]] = {}
        self.answers = 0
        self.is_retired = False

    def begin(self) -> None:
        """Say what a connection begins with, now that there is one."""

    def put(self, flight: Flight, head: bytes, tail: bytes, seconds: float) -> None:
        """Send a query at the end of this turn.

        Args:
            flight: of its name.
            head, tail: what stands before the name in the query, the id apart, and after it.
            seconds: to wait.
        """
        raise NotImplementedError

    def feed(self, data: bytes) -> None:
        """Take in what has arrived.

        Raises:
            FormError: the other side does not keep to the protocol.
        """
        raise NotImplementedError

    def forget(self, flight: Flight) -> None:
        """Wait no more for one answer."""
        known = self.flights.get(flight.id)
        if known is not None and known[0] is flight:
            del self.flights[flight.id]
            self.given_up(flight)
            if not self.flights:
                self.come_to_rest()

    def expire(self, now: float) -> float:
        """End the waits that are over; return when the next is."""
        soonest = NEVER
        for flight_id, (flight, answers_before) in list(self.flights.items()):
            if flight.end > now:
                soonest = min(soonest, flight.end)
            elif self.flights.pop(flight_id, None) is not None:
                # Silence to everyone since this query went out: a dead path.
                self.is_retired = self.is_retired or self.answers == answers_before
                self.given_up(flight)
                settle(flight, UpstreamTimeout("no answer in time"))
        if not self.flights:
            self.come_to_rest()
        return max(soonest, now + len(self.flights) * PAUSE_FOR_EACH)

    def fail(self) -> None:
        """Tell everyone who waits that there will be no answer on this connection."""
        flights = [flight for flight, _ in self.flights.values()]
        self.flights.clear()
        self._deadlines.forget(self)
        for flight in flights:
            settle(flight, self.ended(flight, ENDED))

    def ended(self, flight: Flight, why: str) -> ConnectionEnded:
        """Return what is told to one who may ask once more, in the time that is left."""
        return ConnectionEnded(why, max(0.0, flight.end - self.loop.time()))

    def end(self) -> None:
        """Do so when the connection is closed, and let go of it: circles are collected minutes later only."""
        self.fail()
        self._write, self._rest = _to_nobody, _nothing

    def given_up(self, flight: Flight) -> None:
        """Do what is to be done about a query that nobody waits for any more."""

    def enter(self, flight: Flight, flight_id: bytes, sent: bytes, seconds: float) -> None:
        """Note that a query waits."""
        flight.carrier = self
        flight.id = flight_id
        flight.sent = sent
        flight.end = self.loop.time() + seconds
        self.flights[flight_id] = (flight, self.answers)
        self._deadlines.watch(self, flight.end)

    def come_to_rest(self) -> None:
        """Tell that nobody waits any more."""
        self._deadlines.forget(self)
        self._rest()


def _to_nobody(octets: bytes) -> None:
    pass


def _nothing() -> None:
    pass


class FramedExchange(Exchange):
    """Messages behind their lengths, over TCP and TLS, told apart by id and question (RFC 7766)."""

    __slots__ = ("_entropy", "_frames", "_reader")

    def __init__(self, loop: asyncio.AbstractEventLoop, deadlines: Deadlines, write: Write, rest: Rest) -> None:
        super().__init__(loop, deadlines, write, rest)
        self._entropy = Entropy()
        self._reader = FrameReader()
        self._frames: list[bytes] = []

    def put(self, flight: Flight, head: bytes, tail: bytes, seconds: float) -> None:
        """Send a query at the end of this turn."""
        message_id = self._entropy.take(_ID_OCTETS)
        while message_id in self.flights:
            message_id = self._entropy.take(_ID_OCTETS)
        sent = b"".join((message_id, head, flight.name, tail))
        self.enter(flight, message_id, sent, seconds)
        if not self._frames:
            TURN.later(self)
        self._frames.append(frame(sent))

    def finish(self) -> None:
        """Send what was put in."""
        frames, self._frames = self._frames, []
        if frames:
            self._write(b"".join(frames))

    def feed(self, data: bytes) -> None:
        """Take in what has arrived."""
        had_any = bool(self.flights)
        for got in self._reader.feed(data):
            self._take(got)
        if had_any and not self.flights:
            self.come_to_rest()

    def _take(self, got: bytes) -> None:
        message_id = got[:_ID_OCTETS]
        known = self.flights.get(message_id)
        if known is None:
            return
        flight = known[0]
        outcome = _read(flight, got)
        if outcome is not None:
            self.answers += 1
            del self.flights[message_id]
            settle(flight, outcome)


def _read(flight: Flight, got: bytes) -> Landed | None:
    """Return what a message says to a query; None if it is no answer to it."""
    if flight.plain_end and (addresses := read_addresses(flight.sent, flight.plain_end, got)) is not None:
        return addresses
    name = flight.name
    verdict = match(flight.sent, len(name), got)
    if verdict is Match.OTHER or (verdict is Match.BARE and not flight.edns):
        return None
    if verdict is Match.BARE:
        return EdnsRefused("an error without a question")
    if is_truncated(got):
        return UpstreamFailure("an answer was truncated over a stream")
    # The letter case is no secret here: a stream cannot be forged from off its path.
    try:
        return read_message(with_name(got, name))
    except FormError:
        return UpstreamFailure("an answer could not be read")
