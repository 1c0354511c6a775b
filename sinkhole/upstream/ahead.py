"""A question that was sent before anybody waits for it, in the way that costs least.

Whoever sent it looks at what comes back. If that is nothing he can use by himself, or nothing comes, the question goes
on the long way (`Forwarder.resolve`), which begins with what came of this try.
"""

from collections.abc import Callable
from functools import cache

from sinkhole.errors import UpstreamError
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.message import Message, read_message
from sinkhole.protocol.question import Question
from sinkhole.upstream.ask import Ask
from sinkhole.upstream.burst import Flight, Landed
from sinkhole.upstream.limits import InFlight
from sinkhole.upstream.matching import with_name
from sinkhole.upstream.server import Server


class Ahead:
    """The question, from when it is sent until its answer is used.

    Attributes:
        server: who was asked.
        started: when, in monotonic seconds.
        outcome: what came of it.
    """

    __slots__ = ("_client", "_land", "_limits", "_name", "_zone", "outcome", "server", "started")

    def __init__(
        self, server: Server, started: float, flight: Flight, limits: InFlight, client: str, zone: bytes,
        land: "Callable[[Ahead], None]",
    ) -> None:  # fmt: skip
        self.server = server
        self.started = started
        self.outcome: Landed | None = None
        self._name = flight.name
        self._limits = limits
        self._client = client
        self._zone = zone
        self._land: Callable[[Ahead], None] | None = land
        server.waiting += 1
        flight.wake = self._landed

    def message(self) -> Message | UpstreamError:
        """Return what came of it, as the long way wants it."""
        outcome = self.outcome
        if isinstance(outcome, AddressSet):
            return read_message(with_name(outcome.wire, self._name))
        if outcome is None:
            raise AssertionError("not landed yet")
        return outcome

    def _landed(self, flight: Flight) -> None:
        self.server.waiting -= 1
        self._limits.give_back(self._client, self._zone)
        self.outcome = flight.outcome
        # Whoever is told may hold this: let go of him, since circles are collected minutes later only.
        land, self._land = self._land, None
        if land is not None:
            land(self)


@cache
def frame_for(qtype: int) -> tuple[bytes, bytes]:
    """Return what stands before and after the name in a query: no flags but RD, an OPT record."""
    return Ask(Question(b"\0", qtype)).frame()
