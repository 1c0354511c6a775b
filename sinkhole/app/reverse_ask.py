"""Ask for reverse names, and where they lead, through the chain that clients are answered by, without any policy.

So own records, forwarded zones and upstreams count as they do for clients, and a private reverse zone that is not
forwarded never leaves the network (RFC 6303).
"""

import secrets
import time
from datetime import UTC, datetime

from sinkhole.config.schema import RebindingSettings, RecordSettings, Settings
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE
from sinkhole.policy.image import NameIndex
from sinkhole.policy.verdict import BlockAnswer
from sinkhole.protocol.message import Record, write_query
from sinkhole.protocol.question import Question, read_query
from sinkhole.protocol.types import Rcode
from sinkhole.resolver.answer import Source
from sinkhole.resolver.build import build_chain
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Client, Query
from sinkhole.upstream.forwarder import Forwarder

_CACHED = 2000
_WHO = "127.0.0.1"


class ReverseAsk:
    """Asks names; nothing it asks is recorded, blocked or, for being private, taken out of an answer."""

    def __init__(self, settings: Settings) -> None:
        cache = settings.cache.model_copy(update={"entries": _CACHED, "stale": 0, "prefetch": False})
        plain = settings.model_copy(update={"cache": cache, "rebinding": RebindingSettings(enabled=False)})
        policy = Policy(NameIndex.from_rules(()), (), (), BlockAnswer(), 0)
        self._forwarder = Forwarder(settings.upstream, listen=settings.server.listen)
        nowhere = Hits(RecordSettings(queries="none"))
        self._chain = build_chain(plain, PolicyBox(policy), self._forwarder, nowhere, clock=time.monotonic)

    async def __call__(self, name: bytes, qtype: int) -> tuple[Record, ...] | None:
        """Return the records of the answer, empty where there are none; None where no answer is to be had."""
        message = read_query(write_query(Question(name, qtype), id=secrets.randbelow(65_536)))
        query = Query(message, Client(_WHO, EVERYONE), is_stream=False, when=datetime.now(UTC))
        answer = await self._chain(query)
        if answer.source is Source.ERROR or answer.body.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
            return None
        return answer.body.answer

    async def close(self) -> None:
        """Hang up."""
        await self._chain.close()
        await self._forwarder.close()
