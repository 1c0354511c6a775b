"""Answer ANY with one HINFO record (RFC 8482, section 4.2), so that it amplifies nothing and fills no cache.

It stands behind the filter, so that ANY for a blocked name is blocked and counted like any other type, and before
the cache, which holds answers to one type each.
"""

from sinkhole.protocol.message import Record
from sinkhole.protocol.question import Question
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QType, Rcode
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.query import Query

TTL = 3600
_RDATA = b"\x07RFC8482\x00"


def minimal_body(question: Question) -> ReplyBody:
    """Return the answer to a question of type ANY."""
    record = Record(question.name, QType.HINFO, question.qclass, TTL, _RDATA)
    return ReplyBody(Rcode.NOERROR, answer=(record,))


async def answer_any(query: Query, forward: Handler) -> Answer:
    """Answer ANY here, pass on every other type."""
    if query.question.qtype != QType.ANY:
        return await forward(query)
    return Answer(minimal_body(query.question), None, float(TTL), source=Source.LOCAL)
