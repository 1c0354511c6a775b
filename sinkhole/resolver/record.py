"""First stage: count every verdict. It stands before all others because each of them may end a query.

Behind it nothing can answer without being seen. A verdict on a link of a chain counts for the name that was asked.
"""

from sinkhole.protocol.names import name_to_text
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.query import Query


class Record:
    """The stage; `hits` is where it counts."""

    def __init__(self, hits: Hits) -> None:
        self._hits = hits

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Answer by `forward`, then count; an exception is not an answer and is not counted."""
        answer = await forward(query)
        if self._hits.wants(answer.verdict):
            name = name_to_text(query.question.key)
            self._hits.count(query.client.address, name, query.question.qtype, answer.verdict, query.when)
        return answer
