"""Last handler: ask the upstreams. Whatever goes wrong becomes SERVFAIL with its reason, never an exception.

It is the only place where a query leaves the chain, so everything that keeps a name inside stands before it.
"""

from typing import Protocol

from sinkhole.errors import FormError, UpstreamError
from sinkhole.protocol.message import Message
from sinkhole.protocol.question import Question
from sinkhole.protocol.reply import Ede
from sinkhole.protocol.types import EdeCode, Rcode
from sinkhole.resolver.answer import Answer, Source, failure
from sinkhole.resolver.extract import extract_body
from sinkhole.resolver.query import Query
from sinkhole.upstream.ahead import Ahead
from sinkhole.upstream.ask import Packets
from sinkhole.upstream.failure import UpstreamBusy

_ANSWERS = frozenset({Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN})
"""What says something about the name; every other rcode says something about the upstream."""


class Upstreams(Protocol):
    """What the chain needs of a forwarder."""

    async def resolve(
        self, question: Question, *, do: bool, cd: bool, client: str, packets: Packets | None = None,
        ahead: Ahead | None = None,
    ) -> Message:  # fmt: skip
        """Return an upstream's answer to `question`; raise UpstreamError where there is none."""
        ...


class Forward:
    """The handler.

    Args:
        upstreams: who is asked.
        trust_ad: whether AD of the upstreams is believed (RFC 6840, section 5.8).
        failure_ttl: seconds a failure may be remembered.
    """

    def __init__(self, upstreams: Upstreams, *, trust_ad: bool, failure_ttl: float) -> None:
        self._upstreams = upstreams
        self._trust_ad = trust_ad
        self._failure_ttl = failure_ttl

    async def __call__(self, query: Query) -> Answer:
        """Return what the upstreams say, cut down to what answers the question."""
        try:
            message = await self._upstreams.resolve(
                query.question, do=query.wants_dnssec, cd=query.message.cd, client=query.client.address,
                packets=query.packets, ahead=query.ahead,
            )  # fmt: skip
        except UpstreamBusy as error:
            # Says nothing about the name: the next query may find room.
            return failure(Ede(EdeCode.OTHER, str(error)))
        except UpstreamError as error:
            code = getattr(error, "ede", EdeCode.NO_REACHABLE_AUTHORITY)
            # A link that others need must not be taken for dead because a long chain before it spent all messages.
            is_about_name = query.origin is None or not query.packets.is_spent
            return failure(Ede(code, str(error)), ttl=self._failure_ttl if is_about_name else None)
        if message.rcode not in _ANSWERS:
            return failure(Ede(EdeCode.NO_REACHABLE_AUTHORITY, "upstream failed"), ttl=self._failure_ttl)
        try:
            body = extract_body(query.question, message, ad=message.ad and self._trust_ad)
        except FormError as error:
            return failure(Ede(EdeCode.OTHER, str(error)), ttl=self._failure_ttl)
        return Answer(body, None, None, source=Source.UPSTREAM)
