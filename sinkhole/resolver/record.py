"""First stage: count every verdict. It stands before all others because each of them may end a query.

Behind it nothing can answer without being seen. A verdict on a link of a chain counts for the name that was asked.
"""

from datetime import datetime

from sinkhole.policy.verdict import Verdict
from sinkhole.protocol import message
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.query import Client, Query
from sinkhole.resolver.sightings import Sightings


class Record:
    """The stage; `hits` is where it counts, `sightings` where names that look like AI are, if they are wanted.

    `sources` says how many answers came from where.
    """

    def __init__(self, hits: Hits, sightings: Sightings | None = None) -> None:
        self._hits = hits
        self._sightings = sightings
        self.sources: dict[Source, int] = dict.fromkeys(Source, 0)

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Answer by `forward`, then count; an exception is not an answer and is not counted."""
        answer = await forward(query)
        self.sources[answer.source] += 1
        if self._hits.wants(answer.verdict):
            question = query.question
            self._hits.count(query.client.address, question.key, question.qtype, answer.verdict, query.when)
        if self._sightings is not None:
            self._sightings.look(query, answer)
        return answer

    def note_straight(
        self, name: bytes, qtype: int, verdict: Verdict, client: Client, when: datetime,
        records: tuple[message.Record, ...] | None = (),
    ) -> None:  # fmt: skip
        """Count an answer that an upstream gave without the chain.

        Args:
            name: folded.
            records: of its answer section, of which addresses may be left out; None where it is a denial.
        """
        self.sources[Source.UPSTREAM] += 1
        if self._hits.wants(verdict):
            self._hits.count(client.address, name, qtype, verdict, when)
        if self._sightings is not None and records is not None:
            self._sightings.look_at(name, qtype, verdict, client.address, when, records)
