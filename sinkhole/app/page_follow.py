"""What the answer of a name leads to, for the block page: through the chain that the server runs."""

import asyncio
import secrets
import time
from datetime import UTC, datetime

from sinkhole.config.schema import RecordSettings, Settings
from sinkhole.policy.identity import Identity
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.message import write_query
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question, read_query
from sinkhole.resolver.answer import Source
from sinkhole.resolver.build import build_chain
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Client, Query
from sinkhole.upstream.forwarder import Forwarder

WITHIN = 2.0
"""Seconds that a page waits for it."""
_AT_ONCE = 8
"""Names looked into at the same time; of further ones the page says what their name alone says."""


class PageFollow:
    """Judges answers; nothing of it is recorded.

    Args:
        settings: the whole configuration.
        box: the policy in force.
    """

    def __init__(self, settings: Settings, box: PolicyBox) -> None:
        self._box = box
        self._forwarder = Forwarder(settings.upstream, listen=settings.server.listen)
        nowhere = Hits(RecordSettings(queries="none"))
        self._chain = build_chain(settings, box, self._forwarder, nowhere, clock=time.monotonic)
        self._under_way = 0

    async def verdict(self, name: str, qtype: int, client: str, identity: Identity | None) -> Verdict | None:
        """Return the verdict on the answer of a name for a client, None where none is to be had in time."""
        if self._under_way >= _AT_ONCE:
            return None
        message = read_query(write_query(Question(name_from_text(name), qtype), id=secrets.randbelow(65_536)))
        who = Client(client, self._box.current.scope_of(client, identity), identity)
        self._under_way += 1
        try:
            async with asyncio.timeout(WITHIN):
                answer = await self._chain(Query(message, who, is_stream=False, when=datetime.now(UTC)))
        except TimeoutError:
            return None
        finally:
            self._under_way -= 1
        return None if answer.source is Source.ERROR else answer.verdict

    async def close(self) -> None:
        """End its upstream connections."""
        await self._chain.close()
        await self._forwarder.close()
