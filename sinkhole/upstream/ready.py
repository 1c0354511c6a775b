"""Sockets that live for milliseconds, watched by an epoll of their own.

The event loop's own way to watch a socket and to forget it costs more than to send through it. It watches this epoll
alone, which stays as long as the loop; a socket that is closed leaves an epoll by itself (epoll(7)). Where the system
has no epoll, the event loop watches each.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from sinkhole.upstream.deadlines import Deadlines
from sinkhole.upstream.turn import TURN

AT_ONCE: Final = 64
"""Sockets taken in one turn of the event loop."""


class Ready(Protocol):
    """Calls back when a socket can be read.

    Attributes:
        deadlines: tells who waited too long.
    """

    deadlines: Deadlines

    def watch(self, fileno: int, call: Callable[[], None]) -> None:
        """Call, in a turn, whenever there is something to read."""

    def forget(self, fileno: int) -> None:
        """Call no more for a socket, which is about to be closed."""


class EpollReady:
    """Watches sockets by an epoll; all that is ready is done in one turn."""

    def __init__(self) -> None:
        self.deadlines = Deadlines()
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[], None]] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), TURN.run, self._take)

    def watch(self, fileno: int, call: Callable[[], None]) -> None:
        """Call, in a turn, whenever there is something to read."""
        self._calls[fileno] = call
        self._epoll.register(fileno, select.EPOLLIN)

    def forget(self, fileno: int) -> None:
        """Call no more for a socket, which is about to be closed."""
        self._calls.pop(fileno, None)

    def _take(self) -> None:
        calls = self._calls
        for fileno, _ in self._epoll.poll(0, AT_ONCE):
            call = calls.get(fileno)
            if call is not None:  # else one before it has closed this one
                call()


class LoopReady:
    """Watches sockets by the event loop."""

    def __init__(self) -> None:
        self.deadlines = Deadlines()

    def watch(self, fileno: int, call: Callable[[], None]) -> None:
        """Call, in a turn, whenever there is something to read."""
        asyncio.get_running_loop().add_reader(fileno, TURN.run, call)

    def forget(self, fileno: int) -> None:
        """Call no more for a socket, which is about to be closed."""
        asyncio.get_running_loop().remove_reader(fileno)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Ready] = WeakKeyDictionary()


def ready_of(loop: asyncio.AbstractEventLoop) -> Ready:
    """Return what watches sockets for the event loop, which is running."""
    ready = _of_loops.get(loop)
    if ready is None:
        ready = _of_loops[loop] = EpollReady() if hasattr(select, "epoll") else LoopReady()
    return ready
