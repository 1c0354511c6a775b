"""A query on its way to an upstream, and what carries it there."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Final

from mypy_extensions import mypyc_attr

from sinkhole.errors import UpstreamError
from sinkhole.log import Log
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.message import Message
from sinkhole.upstream.task import STEPPING
from sinkhole.upstream.wait import Wait

Outcome = Message | UpstreamError
"""What came of a question: an answer, or why there is none."""

Landed = Message | AddressSet | UpstreamError
"""What comes of a query; a set of addresses only where it may be one."""

_log: Final = Log("upstream")


class Flight:
    """A query that waits for its answer; awaiting it gives the message, or raises why there is none.

    Attributes:
        name: the name as the client wrote it.
        edns: whether it has an OPT record.
        plain_end: offset after its question, if a set of addresses need not be made a message; else 0.
        carrier: what it was given to.
        id: its message id.
        sent: the query as it goes out.
        end: loop time at which the wait is over.
        near: what is said at the end; None for silence.
        outcome: what came of it; None while it waits.
        wake: called when there is an outcome, by whoever takes steps without a task.
    """

    __slots__ = ("_done", "carrier", "edns", "end", "id", "name", "near", "outcome", "plain_end", "sent", "wake")

    def __init__(self, name: bytes, edns: bool, plain_end: int = 0) -> None:
        self.name = name
        self.edns = edns
        self.plain_end = plain_end
        self.carrier: Carrier
        self.id: bytes
        self.sent: bytes
        self.end: float
        self.near: UpstreamError | None = None
        self.outcome: Landed | None = None
        self.wake: Callable[[Flight], None] | None = None
        self._done: asyncio.Future[None] | None = None

    def settle(self, outcome: Landed) -> None:
        """Tell whoever waits; it takes its next step before this returns, or soon, if it is a task."""
        self.outcome = outcome
        if self.wake is not None:
            self.wake(self)
        elif self._done is not None and not self._done.done():
            self._done.set_result(None)

    def __await__(self) -> Generator[Any, None, Message]:
        try:
            if self.outcome is None:
                if STEPPING.is_on:
                    yield self
                else:
                    self._done = self.carrier.loop.create_future()
                    yield from self._done
        except (asyncio.CancelledError, GeneratorExit):
            self.carrier.forget(self)
            raise
        if isinstance(self.outcome, UpstreamError):
            raise self.outcome
        if not isinstance(self.outcome, Message):
            raise AssertionError("woken without a message")
        return self.outcome


@mypyc_attr(allow_interpreted_subclasses=True)
class Carrier(Wait):
    """What sends queries and takes in their answers.

    Attributes:
        loop: the event loop they wait in.
    """

    __slots__ = ("loop",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def forget(self, flight: Flight) -> None:
        """Wait no more for one answer."""
        raise NotImplementedError


def settle(flight: Flight, outcome: Landed) -> None:
    """Tell whoever waits; what fails there is the end of that query, and of no other."""
    try:
        flight.settle(outcome)
    except Exception:  # the edge of a query
        _log.exception("answer.failed")
