"""How stages are put together: a handler answers a query, a stage answers it or asks the next handler."""

from collections.abc import Awaitable, Callable, Sequence

from sinkhole.resolver.answer import Answer
from sinkhole.resolver.query import Query

Handler = Callable[[Query], Awaitable[Answer]]
"""Answers a query. A failure is an answer too (SERVFAIL); it raises only when the program is wrong."""

Stage = Callable[[Query, Handler], Awaitable[Answer]]
"""Answers a query, with or without the handler behind it."""


def chain(stages: Sequence[Stage], last: Handler) -> Handler:
    """Return the handler that passes a query through `stages` in their order, and then to `last`."""
    handler = last
    for stage in reversed(stages):
        handler = _before(stage, handler)
    return handler


def _before(stage: Stage, forward: Handler) -> Handler:
    def handle(query: Query) -> Awaitable[Answer]:
        return stage(query, forward)

    return handle
