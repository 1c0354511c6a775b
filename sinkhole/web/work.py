"""Where requests are worked on: threads of their own, bounded in number and time, never the writer's of the hits.

The event loop of the control process only moves octets; what reads the store, decides or hashes runs here.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from sinkhole.app.data_dir import STORE
from sinkhole.app.kept import Kept
from sinkhole.app.state import State, open_state, state_over
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError, StoreError
from sinkhole.store.audit import acting_from
from sinkhole.store.database import open_for_reading
from sinkhole.store.span_cache import SpanCache

Result = TypeVar("Result")
READ_WITHIN = 10.0
"""Seconds that the queries of one request may take."""
_READERS, _READS_WAITING = 3, 30
_CHANGERS, _CHANGES_WAITING = 2, 10
_HASHERS, _HASHES_WAITING = 1, 4
_CALM = 5
"""How much nicer than the rest of the control process, which stores hits, a thread is: a report must not be felt."""


class BusyError(SinkholeError):
    """Too many requests wait already."""


class TookLongError(SinkholeError):
    """A request had its time."""


def be_calm() -> None:
    """Be nicer from now on: on Linux niceness is a thread's own (nice(2), notes); elsewhere it is not, and stays."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.nice(_CALM)


class Threads:
    """So many threads, and so many jobs that wait for one."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, f"web-{name}", be_calm)
        self._room = threads + waiting

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a job.

        Raises:
            BusyError: too many wait.
        """
        if self._room == 0:
            raise BusyError("too much is asked at once; try again in a moment")
        self._room -= 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        future.add_done_callback(self._leave)  # not when the request ends: the thread may go on
        return await future

    def _leave(self, _future: object) -> None:
        self._room += 1

    def close(self) -> None:
        """Take no more jobs, and forget those that wait; what runs is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class Readers:
    """Run what only reads, each thread with a state of its own over a connection that cannot write."""

    def __init__(self, settings: Settings, seconds: float = READ_WITHIN, kept: Kept | None = None) -> None:
        self._settings = settings
        self._kept = kept or Kept()
        self._spans = SpanCache()
        self._seconds = seconds
        self._threads = Threads("read", _READERS, _READS_WAITING)
        self._local = threading.local()

    async def do(self, work: Callable[[State], Result]) -> Result:
        """Run `work`.

        Raises:
            BusyError, TookLongError: as they say.
            StoreError: the store cannot be read now.
        """
        return await self._threads.run(lambda: self._do(work))

    def _do(self, work: Callable[[State], Result]) -> Result:
        self._local.until = time.monotonic() + self._seconds
        try:
            state = self._state()
            with state.store.reading_once():
                return work(state)
        except StoreError as error:
            self._drop()
            if self._is_over():
                raise TookLongError(f"this took longer than {self._seconds:g} seconds; ask for less") from error
            raise

    def _state(self) -> State:
        state: State | None = getattr(self._local, "state", None)
        if state is None:
            store = open_for_reading(self._settings.server.data_dir / STORE, self._is_over, self._spans)
            state = self._local.state = state_over(self._settings, store, "reader", self._kept)
        return state

    def _drop(self) -> None:
        state: State | None = getattr(self._local, "state", None)
        if state is not None:
            state.close()
        self._local.state = None

    def _is_over(self) -> bool:
        return bool(time.monotonic() > self._local.until)

    def close(self) -> None:
        """Take no more."""
        self._threads.close()


class Changers:
    """Run what changes something, each job on a state of its own that names who did it and from where."""

    def __init__(self, settings: Settings, kept: Kept | None = None) -> None:
        self._settings = settings
        self._kept = kept or Kept()
        self._threads = Threads("change", _CHANGERS, _CHANGES_WAITING)

    async def do(self, who: str, origin: str, work: Callable[[State], Result]) -> Result:
        """Run `work`.

        Raises:
            BusyError: too many wait.
            StoreError: the store cannot be opened or written.
        """
        return await self._threads.run(lambda: self._do(who, origin, work))

    def _do(self, who: str, origin: str, work: Callable[[State], Result]) -> Result:
        state = open_state(self._settings, who, kept=self._kept)
        try:
            with acting_from(origin):
                return work(state)
        finally:
            state.close()

    def close(self) -> None:
        """Take no more."""
        self._threads.close()


class Work:
    """All threads of the admin side; `hashing` is for passwords, one at a time, since each takes 64 MiB."""

    def __init__(self, settings: Settings) -> None:
        kept = Kept()
        self.readers = Readers(settings, kept=kept)
        self.changers = Changers(settings, kept)
        self.access = Changers(settings, kept)
        """For sessions and log-ins, which must not wait for a change that takes long."""
        self.hashing = Threads("hash", _HASHERS, _HASHES_WAITING)

    def close(self) -> None:
        """Take no more."""
        for part in (self.readers, self.changers, self.access, self.hashing):
            part.close()
