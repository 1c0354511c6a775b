"""Run a query through the chain without a task, for as long as it can do without one.

A task costs as much as all that most queries do in it. What a query waits for, as a rule, is one future; its callback
can take the next step as well.
"""

from collections.abc import Callable, Generator
from types import coroutine
from typing import Any

from sinkhole.resolver.answer import Answer
from sinkhole.resolver.background import Background

Done = Callable[[Answer | None, Exception | None], None]
"""Takes the answer, or the exception instead of one."""

_Steps = Generator[Any, None, Answer]


class Steps:
    """Takes the steps of one query, each when the future is done that the step before waited for.

    Args:
        steps: of the chain, the first of them taken.
        done: told of the end; not if the program ends before.
        background: where it goes on as a task when it asks for that (see `upstream.task`).
    """

    __slots__ = ("_background", "_done", "_steps")

    def __init__(self, steps: _Steps, done: Done, background: Background) -> None:
        self._steps = steps
        self._done = done
        self._background = background

    def wait_for(self, future: Any) -> None:
        """Take the next step when `future` is done, which the step before has given."""
        # What a task looks for too (asyncio.isfuture).
        if getattr(future, "_asyncio_future_blocking", None):
            future._asyncio_future_blocking = False
            future.add_done_callback(self._step)
        else:
            self._background.start(self._as_task())

    def _step(self, _future: Any) -> None:
        try:
            future = self._steps.send(None)
        except StopIteration as end:
            self._done(end.value, None)
        except Exception as error:  # the edge of a query, as it is of a task
            self._done(None, error)
        else:
            self.wait_for(future)

    async def _as_task(self) -> None:
        try:
            answer = await _rest_of(self._steps)
        except Exception as error:
            self._done(None, error)
        else:
            self._done(answer, None)


@coroutine
def _rest_of(steps: _Steps) -> _Steps:
    return (yield from steps)
