"""Run a query through the chain without a task, for as long as it can do without one.

A task costs as much as all that most queries do in it. What a query waits for, as a rule, is one answer of an upstream,
and whoever receives that can take the next step as well.
"""

import asyncio
from collections.abc import Callable, Generator
from types import coroutine
from typing import Any

from sinkhole.errors import UpstreamError
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.background import Background
from sinkhole.upstream.flight import Flight
from sinkhole.upstream.task import STEPPING

Done = Callable[[Answer | None, Exception | None], None]
"""Takes the answer, or the exception instead of one."""

_Steps = Generator[Any, None, Answer]


class Steps:
    """Takes the steps of one query, each when that is there which the step before waited for.

    Args:
        steps: of the chain, the first of them taken.
        done: told of the end, whatever it is.
        background: where it goes on as a task when it asks for that (see `upstream.task`).
    """

    __slots__ = ("_background", "_done", "_steps")

    def __init__(self, steps: _Steps, done: Done, background: Background) -> None:
        self._steps = steps
        self._done = done
        self._background = background

    def wait_for(self, what: Any) -> None:
        """Take the next step when there is what the step before has given to be waited for."""
        if type(what) is Flight:
            what.wake = self._step
        elif getattr(what, "_asyncio_future_blocking", None):  # what a task looks for too
            what._asyncio_future_blocking = False
            what.add_done_callback(self._step)
        else:
            self._background.start(self._as_task())

    def _step(self, _what: Any) -> None:
        try:
            what = STEPPING.next_of(self._steps)
        except StopIteration as end:
            self._done(end.value, None)
        except asyncio.CancelledError:
            # Not this query's task, it has none: a connection that is closed, another query's, the server that ends.
            self._done(None, UpstreamError("what it waited for was given up"))
        except Exception as error:  # the edge of a query, as it is of a task
            self._done(None, error)
        else:
            self.wait_for(what)

    async def _as_task(self) -> None:
        try:
            answer = await _rest_of(self._steps)
        except asyncio.CancelledError:
            self._done(None, UpstreamError("what it waited for was given up"))
            raise
        except Exception as error:
            self._done(None, error)
        else:
            self._done(answer, None)


@coroutine
def _rest_of(steps: _Steps) -> _Steps:
    return (yield from steps)
