"""Complete chains: where an answer ends in a CNAME and says nothing of its target, ask for that (RFC 1034, 3.6.2).

It stands before the filter, so that each further name is judged before it leaves the server (R-B02), and before the
cache, so that each link is kept by itself with its own lifetime. Links are judged as targets of the name asked.
"""

import asyncio
from dataclasses import replace

from sinkhole.protocol.reply import Ede
from sinkhole.protocol.types import EdeCode
from sinkhole.resolver.answer import Answer, Source, failure
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.links import MAX_LINKS, count_links, find_open_end, is_loop, join
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query
from sinkhole.upstream.task import in_a_task

MAX_FOLLOWED = 8
"""Names asked for on top of the first; the messages for all of them are bounded by `Query.packets` (R-C10)."""

DEADLINE = 8.0
"""Seconds for all of them, so that a client has its answer in about ten (R-C11)."""

_MOST_CHANGES = 5
"""Policies that may come into force while a chain is followed."""
_CHANGING = Ede(EdeCode.OTHER, "policy changes faster than the chain is followed")
_TOO_LONG = Ede(EdeCode.OTHER, "CNAME chain too long or looping")


class Chase:
    """The stage.

    Args:
        box: where the policy in force is found.
        deadline: seconds that all further links may take together.
    """

    def __init__(self, box: PolicyBox, deadline: float = DEADLINE) -> None:
        self._box = box
        self._deadline = deadline

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Return the answer of `forward`, completed."""
        policy = self._box.current
        answer = await forward(query)
        if find_open_end(query.question, answer.body) is None:
            return answer
        await in_a_task()
        try:
            async with asyncio.timeout(self._deadline):
                answer = await _follow(query, answer, forward)
                for _ in range(_MOST_CHANGES):
                    if self._box.current is policy:
                        return answer
                    # Its first links were judged by a policy that is no longer in force; they are kept now.
                    policy = self._box.current
                    query = query.under(policy)
                    answer = await _follow(query, await forward(query), forward)
                return failure(_CHANGING, verdict=answer.verdict)
        except TimeoutError:
            return failure(Ede(EdeCode.NO_REACHABLE_AUTHORITY), verdict=answer.verdict)


async def _follow(query: Query, answer: Answer, forward: Handler) -> Answer:
    followed = 0
    while (target := find_open_end(query.question, answer.body)) is not None:
        if followed == MAX_FOLLOWED or is_loop(query.question, answer.body, target):
            return failure(_TOO_LONG, verdict=answer.verdict)
        followed += 1
        more = await forward(query.ask(target, judged=answer.verdict))
        if more.source in (Source.BLOCKED, Source.ERROR):
            return more
        answer = _joined(answer, more)
    if count_links(answer.body) > MAX_LINKS:
        return failure(_TOO_LONG, verdict=answer.verdict)
    return answer


def _joined(answer: Answer, more: Answer) -> Answer:
    ttl = None if answer.ttl is None or more.ttl is None else min(answer.ttl, more.ttl)
    stale = answer.stale or more.stale
    return replace(join(answer.body, more), ttl=ttl, stale=stale, source=Source.STALE if stale else more.source)
