"""Refuse to look further for those who do not want recursion.

RD=0 asks for what the server itself knows (RFC 1034, section 4.3.1). That is own, special and blocked names. What
the cache holds is other clients' business: answering from it would let one client find out what others asked for.
"""

from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.protocol.types import EdeCode, Rcode
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.query import Query

# "A resolver that receives a query with the RD bit clear SHOULD include this EDE code in the REFUSED response"
# (RFC 8914, section 4.21).
_REFUSED = ReplyBody(Rcode.REFUSED, ede=(Ede(EdeCode.NOT_AUTHORITATIVE),))


async def refuse_without_rd(query: Query, forward: Handler) -> Answer:
    """Refuse a query without RD, pass on the others."""
    if query.message.rd:
        return await forward(query)
    return Answer(_REFUSED, None, None, source=Source.ERROR)
