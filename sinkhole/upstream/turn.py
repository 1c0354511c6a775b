"""What is done together at the end of a turn: datagrams that became ready while others were read leave in one go.

A turn of the event loop costs as much as half a query, so nothing waits for the next one that need not.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final


class Turn:
    """The work of one callback of the event loop, from reading a socket to its end."""

    __slots__ = ("_left", "is_on")

    def __init__(self) -> None:
        self._left: deque[Callable[[], object]] = deque()
        self.is_on = False

    def later(self, call: Callable[[], object]) -> None:
        """Have something done at the end of the turn; outside of one, in the next turn of the event loop."""
        if self.is_on:
            self._left.append(call)
        else:
            asyncio.get_running_loop().call_soon(call)

    def run(self, call: Callable[[], object]) -> None:
        """Make a turn of a call."""
        self.begin()
        try:
            call()
        finally:
            self.end()

    def begin(self) -> None:
        """Begin a turn; no other may be on."""
        self.is_on = True

    def end(self) -> None:
        """Do what is left, and what comes up while that is done."""
        left = self._left
        try:
            while left:
                left.popleft()()
        finally:
            self.is_on = False
            while left:  # one failed, and the others must not wait for it
                asyncio.get_running_loop().call_soon(left.popleft())


TURN: Final = Turn()
"""That of this process: its event loop runs one callback at a time."""
