"""Equal questions that are under way at the same time share one flight (R-C04).

It stands right before the upstreams: behind the cache, which answers most questions without a flight, and behind the
filter, so that clients of different groups may share a flight and are still judged each by itself. One flight for
each question also takes the birthday attack its odds: an attacker cannot have many equal queries open at once.
"""

import asyncio

from sinkhole.resolver.answer import Answer
from sinkhole.resolver.answer_store import Key, key_of
from sinkhole.resolver.background import Background
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.query import Query


class Coalesce:
    """The stage; flights run as tasks of `background`, so that no waiter's cancellation ends that of the others."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._flights: dict[Key, asyncio.Task[Answer]] = {}

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Join the flight of this question, or begin it."""
        key = key_of(query)
        flight = self._flights.get(key)
        if flight is None:
            flight = self._background.start(self._fly(key, query, forward))
            self._flights[key] = flight
        return await asyncio.shield(flight)

    async def _fly(self, key: Key, query: Query, forward: Handler) -> Answer:
        try:
            return await forward(query)
        finally:
            del self._flights[key]
