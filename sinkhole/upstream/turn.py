"""What is done together at the end of a turn: datagrams that became ready while others were read leave in one go.

A turn of the event loop costs as much as half a query, so nothing waits for the next one that need not.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from mypy_extensions import mypyc_attr

from sinkhole.log import Log

_log = Log("upstream")


@mypyc_attr(allow_interpreted_subclasses=True)
class Unfinished:
    """What has something left to do at the end of a turn."""

    __slots__ = ()

    def finish(self) -> None:
        """Do it."""
        raise NotImplementedError


class Turn:
    """The work of one callback of the event loop, from reading a socket to its end."""

    __slots__ = ("_behind", "_left", "is_on")

    def __init__(self) -> None:
        self._left: list[Unfinished] = []
        self._behind: list[Unfinished] = []
        self.is_on = False

    def later(self, unfinished: Unfinished) -> None:
        """Have something finished at the end of the turn; outside of one, in the next turn of the event loop."""
        if self.is_on:
            self._left.append(unfinished)
        else:
            asyncio.get_running_loop().call_soon(unfinished.finish)

    def behind(self, unfinished: Unfinished) -> None:
        """Have something finished as `later`, but behind all that somebody waits for."""
        if self.is_on:
            self._behind.append(unfinished)
        else:
            asyncio.get_running_loop().call_soon(unfinished.finish)

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

    def flush(self) -> None:
        """Finish now what was to be finished `later`."""
        if self._left:
            _finish(self._left)

    def end(self) -> None:
        """Do what is left, and what comes up while that is done."""
        left, behind = self._left, self._behind
        try:
            while left or behind:
                _finish(left)
                _finish(behind)
        finally:
            self.is_on = False
            if left or behind:  # where the process is told to end, the event loop may go on for a while
                for unfinished in left + behind:
                    self.later(unfinished)
                left.clear()
                behind.clear()


def _finish(left: list[Unfinished]) -> None:
    done = 0
    try:
        while done < len(left):
            done += 1
            try:
                left[done - 1].finish()
            except Exception:  # the others have nothing to do with it
                _log.exception("turn.failed")
    finally:
        if done == len(left):
            left.clear()  # in a third of the time
        else:
            del left[:done]


TURN: Final = Turn()
"""That of this process: its event loop runs one callback at a time."""
