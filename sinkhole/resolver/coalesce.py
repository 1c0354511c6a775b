"""Equal questions that are under way at the same time share one flight (R-C04).

It stands right before the upstreams: behind the cache, which answers most questions without a flight, and behind the
filter, so that clients of different groups may share a flight and are still judged each by itself. One flight for
each question also takes the birthday attack its odds: an attacker cannot have many equal queries open at once.
"""

import asyncio
from typing import Protocol

from sinkhole.resolver.answer import Answer
from sinkhole.resolver.answer_store import Key, key_of
from sinkhole.resolver.background import Background
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.query import Query
from sinkhole.upstream.task import STEPPING


class Joinable(Protocol):
    """A flight outside of the chain (`straight`)."""

    def joined(self) -> "asyncio.Future[Answer | None]":
        """Return what gives its answer, or None where whoever waits has to ask by himself."""


class Coalesce:
    """The stage; no waiter's cancellation ends the flight of the others.

    Tasks can be cancelled, so a flight that one of them begins is a task of `background`. A query that takes its steps
    without a task (see `steps`) cannot be, and flies itself; the others wait for what it finds.

    Attributes:
        flights: what is under way, by question.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self.flights: dict[Key, asyncio.Future[Answer] | Joinable] = {}

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Join the flight of this question, or begin it."""
        key = key_of(query)
        while (flight := self.flights.get(key)) is not None:
            if isinstance(flight, asyncio.Future):
                return await asyncio.shield(flight)
            found = await asyncio.shield(flight.joined())
            if found is not None:
                return found
        if STEPPING.is_on:
            return await self._lead(key, query, forward)
        task = self.flights[key] = self._background.start(self._fly(key, query, forward))
        return await asyncio.shield(task)

    async def _fly(self, key: Key, query: Query, forward: Handler) -> Answer:
        try:
            return await forward(query)
        finally:
            del self.flights[key]

    async def _lead(self, key: Key, query: Query, forward: Handler) -> Answer:
        flight = self.flights[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await forward(query)
        except Exception as error:
            flight.set_exception(error)
            flight.exception()  # looked at, as it is by whoever waits, if anyone does
            raise
        else:
            flight.set_result(answer)
            return answer
        finally:
            flight.cancel()  # if it has no outcome: what it waited for was given up
            del self.flights[key]
