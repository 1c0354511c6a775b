"""Queries and answers on one stream, which many share; no I/O.

As `Burst` does for datagrams: queries that are made in the same turn of the event loop leave in one write, answers come
in whatever order, and are told apart by id and question.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from sinkhole.errors import FormError, UpstreamError
from sinkhole.protocol.addresses import read_addresses
from sinkhole.protocol.framing import FrameReader, frame
from sinkhole.protocol.message import read_message
from sinkhole.upstream.deadlines import NEVER, Deadlines
from sinkhole.upstream.entropy import Entropy
from sinkhole.upstream.failure import EdnsRefused, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Carrier, Flight, Landed, settle
from sinkhole.upstream.matching import Match, is_truncated, match, with_name
from sinkhole.upstream.turn import TURN

_ID_OCTETS: Final = 2


class Exchange(Carrier):
    """Sends queries through a stream as they come, and matches the answers.

    Args:
        loop: the running event loop.
        deadlines: tells who waited too long.
        write: sends octets.
        rest: called whenever nobody waits any more.

    Attributes:
        answers: how many came.
        is_silent: whether somebody waited in vain while nobody else had an answer: no further query should come.
    """

    __slots__ = ("_deadlines", "_entropy", "_flights", "_frames", "_reader", "_rest", "_write", "answers", "is_silent")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        deadlines: Deadlines,
        write: Callable[[bytes], object],
        rest: Callable[[], object],
    ) -> None:
        super().__init__(loop)
        self._deadlines = deadlines
        self._write = write
        self._rest = rest
        self._entropy = Entropy()
        self._reader = FrameReader()
        self._frames: list[bytes] = []
        self._flights: dict[bytes, tuple[Flight, int]] = {}
        self.answers = 0
        self.is_silent = False

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody waits."""
        return not self._flights

    def put(self, flight: Flight, head: bytes, tail: bytes, seconds: float) -> None:
        """Send a query at the end of this turn.

        Args:
            flight: of its name.
            head, tail: what stands before the name in the query, the id apart, and after it.
            seconds: to wait.
        """
        message_id = self._entropy.take(_ID_OCTETS)
        while message_id in self._flights:
            message_id = self._entropy.take(_ID_OCTETS)
        flight.carrier = self
        flight.id = message_id
        flight.sent = b"".join((message_id, head, flight.name, tail))
        flight.end = self.loop.time() + seconds
        self._flights[message_id] = (flight, self.answers)
        if not self._frames:
            TURN.later(self)
        self._frames.append(frame(flight.sent))
        self._deadlines.watch(self, flight.end)

    def finish(self) -> None:
        """Send what was put in."""
        frames, self._frames = self._frames, []
        if frames:
            self._write(b"".join(frames))

    def feed(self, data: bytes) -> None:
        """Take in what has arrived.

        Raises:
            FormError: it is no stream of messages.
        """
        had_any = bool(self._flights)
        for got in self._reader.feed(data):
            self._take(got)
        if had_any and not self._flights:
            self._come_to_rest()

    def forget(self, flight: Flight) -> None:
        """Wait no more for one answer."""
        if flight.id in self._flights and self._flights[flight.id][0] is flight:
            del self._flights[flight.id]
            if not self._flights:
                self._come_to_rest()

    def expire(self, now: float) -> float:
        """End the waits that are over; return when the next is."""
        soonest = NEVER
        for message_id, (flight, answers_before) in list(self._flights.items()):
            if flight.end > now:
                soonest = min(soonest, flight.end)
            elif self._flights.pop(message_id, None) is not None:
                # Silence to everyone since this query went out: a dead path.
                self.is_silent = self.is_silent or self.answers == answers_before
                settle(flight, UpstreamTimeout("no answer in time"))
        if not self._flights:
            self._come_to_rest()
        return soonest

    def fail(self, kind: type[UpstreamError], why: str) -> None:
        """Tell everyone who waits that there will be no answer."""
        flights = [flight for flight, _ in self._flights.values()]
        self._flights.clear()
        self._frames.clear()
        self._deadlines.forget(self)
        for flight in flights:
            settle(flight, kind(why))

    def _come_to_rest(self) -> None:
        self._deadlines.forget(self)
        self._rest()

    def _take(self, got: bytes) -> None:
        message_id = got[:_ID_OCTETS]
        known = self._flights.get(message_id)
        if known is None:
            return
        flight = known[0]
        outcome = _read(flight, got)
        if outcome is not None:
            self.answers += 1
            del self._flights[message_id]
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
