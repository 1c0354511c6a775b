"""Sockets that live for milliseconds, watched by an epoll of their own.

The event loop's own way to watch a socket and to forget it costs more than to send through it. It watches this epoll
alone, which stays as long as the loop; a socket that is closed leaves an epoll by itself (epoll(7)). Where the system
has no epoll, the event loop watches each.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from sinkhole.upstream.deadlines import Deadlines
from sinkhole.upstream.turn import TURN
from sinkhole.upstream.wait import Wait

AT_ONCE: Final = 64
"""Sockets taken in one turn of the event loop."""


class Ready:
    """Tells those who wait when a socket can be read.

    Attributes:
        deadlines: tells who waited too long.
    """

    def __init__(self) -> None:
        self.deadlines = Deadlines()

    def watch(self, fileno: int, wait: Wait) -> None:
        """Tell, in a turn, whenever there is something to read."""
        raise NotImplementedError

    def forget(self, fileno: int) -> None:
        """Tell no more of a socket, which is about to be closed."""
        raise NotImplementedError


class EpollReady(Ready):
    """Watches sockets by an epoll; all that is ready is done in one turn."""

    def __init__(self) -> None:
        super().__init__()
        self._epoll = select.epoll()
        self._waits: dict[int, Wait] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), TURN.run, self._take)

    def watch(self, fileno: int, wait: Wait) -> None:
        """Tell, in a turn, whenever there is something to read."""
        self._waits[fileno] = wait
        self._epoll.register(fileno, select.EPOLLIN)

    def forget(self, fileno: int) -> None:
        """Tell no more of a socket, which is about to be closed."""
        self._waits.pop(fileno, None)

    def _take(self) -> None:
        deadlines = self.deadlines
        awaited = deadlines.vigil.awaited
        told: Wait | None = None
        if awaited is not None and deadlines.is_alone(awaited):
            awaited.receive()  # most likely it is that one
            if not deadlines.is_watched(awaited):
                return  # if others are ready, too, they are in the next turn
            told = awaited
        waits = self._waits
        for fileno, _ in self._epoll.poll(0, AT_ONCE):
            wait = waits.get(fileno)
            if wait is not None and wait is not told:  # none: one before it has closed this one
                wait.receive()


class LoopReady(Ready):
    """Watches sockets by the event loop."""

    def watch(self, fileno: int, wait: Wait) -> None:
        """Tell, in a turn, whenever there is something to read."""
        asyncio.get_running_loop().add_reader(fileno, TURN.run, wait.receive)

    def forget(self, fileno: int) -> None:
        """Tell no more of a socket, which is about to be closed."""
        # uvloop returns None and not a bool, which compiled code would take amiss.
        forget: Callable[[int], object] = asyncio.get_running_loop().remove_reader
        forget(fileno)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Ready] = WeakKeyDictionary()


def ready_of(loop: asyncio.AbstractEventLoop) -> Ready:
    """Return what watches sockets for the event loop, which is running."""
    ready = _of_loops.get(loop)
    if ready is None:
        ready = _of_loops[loop] = EpollReady() if hasattr(select, "epoll") else LoopReady()
    return ready
