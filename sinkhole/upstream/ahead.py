"""A question that was sent before anybody waits for it, in the way that costs least.

Whoever sent it looks at what comes back. If that is nothing he can use by himself, or nothing comes, the question goes
on the long way (`Forwarder.resolve`), which begins with what came of this try.
"""

from functools import cache

from sinkhole.errors import UpstreamError
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.message import Message, read_message
from sinkhole.protocol.question import HEADER, TYPE_AND_CLASS, Question
from sinkhole.upstream.ask import Ask
from sinkhole.upstream.flight import Flight, Landed
from sinkhole.upstream.limits import InFlight, Share
from sinkhole.upstream.matching import with_name
from sinkhole.upstream.server import Server
from sinkhole.upstream.turn import Unfinished


class Lander(Unfinished):
    """Who sent a question ahead; he has something left to do at the end of the turn in which something comes of it."""

    __slots__ = ()

    def land(self, ahead: "Ahead") -> None:
        """Look at what came of it, whatever it is."""
        raise NotImplementedError


class Ahead(Flight):
    """The question, from when it is sent until its answer is used.

    Args:
        name: as the client wrote it.
        started: monotonic seconds.
        limits: where it counts as waiting.
        of_client, of_zone: its places there (`InFlight.take`).

    Attributes:
        server: who was asked.
    """

    __slots__ = ("_lander", "_limits", "_of_client", "_of_zone", "server", "started")

    def __init__(
        self, name: bytes, started: float, limits: InFlight, of_client: Share[str], of_zone: Share[bytes]
    ) -> None:
        super().__init__(name, True, HEADER + len(name) + TYPE_AND_CLASS)
        self.started = started
        self._lander: Lander | None = None
        self._limits = limits
        self._of_client = of_client
        self._of_zone = of_zone
        self.server: Server

    def wait(self, lander: Lander) -> None:
        """Have someone told when something comes of it."""
        self.server.waiting += 1
        self._lander = lander

    def settle(self, outcome: Landed) -> None:
        """Tell whoever waits; nobody does where it could not even leave."""
        self.outcome = outcome
        # Whoever is told may hold this: let go of him, since circles are collected minutes later only.
        lander, self._lander = self._lander, None
        if lander is not None:
            self.server.waiting -= 1
            self._limits.give_back(self._of_client, self._of_zone)
            lander.land(self)

    def message(self) -> Message | UpstreamError:
        """Return what came of it, as the long way wants it."""
        outcome = self.outcome
        if isinstance(outcome, AddressSet):
            return read_message(with_name(outcome.wire, self.name))
        if outcome is None:
            raise AssertionError("not landed yet")
        return outcome


@cache
def frame_for(qtype: int) -> tuple[bytes, bytes]:
    """Return what stands before and after the name in a query: no flags but RD, an OPT record."""
    return Ask(Question(b"\0", qtype)).frame()
