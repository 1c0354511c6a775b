"""Tasks only where they are needed: queries may take their steps without one."""

import asyncio
from collections.abc import Generator
from typing import Any, Final


class Stepping:
    """Whether what runs now takes its steps without a task; the counterpart of asyncio's current task."""

    __slots__ = ("is_on",)

    def __init__(self) -> None:
        self.is_on = False

    def next_of(self, steps: Generator[Any, None, Any]) -> Any:
        """Take the next step; return what it waits for.

        Raises:
            StopIteration: it was the last.
        """
        before, self.is_on = self.is_on, True  # a step may be what ends the wait of another query
        try:
            return steps.send(None)
        finally:
            self.is_on = before


STEPPING: Final = Stepping()


async def in_a_task() -> None:
    """Go on in a task, for what needs one: `asyncio.timeout`, and libraries that look for the task they are in."""
    if STEPPING.is_on:
        await asyncio.sleep(0)  # a bare yield: whoever takes the steps sees that there is nothing to wait for
