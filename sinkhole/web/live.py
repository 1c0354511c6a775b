"""What happens, told to whoever listens: hits as they are stored, and how syncs go. Bounded; slow listeners go.

One look into the store serves all listeners, and there is none while nobody listens.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from sinkhole.app.state import State
from sinkhole.errors import SinkholeError
from sinkhole.log import Log
from sinkhole.store.reports import Reports
from sinkhole.web.shapes import Hit, SyncRun
from sinkhole.web.work import Readers

MOST_LISTENERS = 32
MOST_OF_ONE = 8
"""Listeners of one account or token."""
LOOK_EVERY = 0.5
_MOST_WAITING = 500
"""Events that a listener may be behind."""
_MOST_AT_ONCE = 200
"""Hits told of one look; more are skipped, since nobody reads so fast."""


class Topic(StrEnum):
    """What one can listen to."""

    HITS = "hits"
    SYNC = "sync"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `number` is that of the store, None where it has none."""

    name: str
    data: str
    number: int | None = None

    def to_wire(self) -> bytes:
        """Return it as server-sent events are written (HTML, section 9.2); JSON has no line breaks."""
        head = "" if self.number is None else f"id: {self.number}\n"
        return f"{head}event: {self.name}\ndata: {self.data}\n\n".encode()


@dataclass(eq=False)
class Listener:
    """One who listens; `is_slow` once it was left behind."""

    who: str
    topic: Topic
    waiting: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))
    is_slow: bool = False

    def tell(self, event: Event | None) -> None:
        """Give it an event; one that does not keep up is told nothing more. None: the end."""
        try:
            self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.is_slow = True


class Live:
    """Tell listeners what happens.

    Args:
        readers: where the store is looked into.
    """

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_looking = asyncio.Event()
        self._is_closed = False
        self._log = Log("admin")

    def join(self, who: str, topic: Topic) -> Listener | None:
        """Add a listener, or return None where there is no room."""
        mine = sum(one.who == who for one in self._listeners)
        if self._is_closed or len(self._listeners) >= MOST_LISTENERS or mine >= MOST_OF_ONE:
            return None
        listener = Listener(who, topic)
        self._listeners.add(listener)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())
        return listener

    def leave(self, listener: Listener) -> None:
        """Take a listener away; nothing is looked for once the last has gone."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None
            self._is_looking.clear()

    async def missed(self, last: int) -> list[Event]:
        """Return the hits after one that somebody was told before the connection was lost: the newest of them.

        For a listener that has joined: whatever is stored later is told it, and maybe some of these too.

        Raises:
            SinkholeError: the store cannot be read.
        """
        await self._is_looking.wait()
        hits, _ = await self._readers.do(lambda state: _since(state, last, None))
        return [_event_of(one) for one in hits]

    def tell(self, topic: Topic, events: Iterable[Event]) -> None:
        """Tell those who listen to a topic."""
        told = list(events)
        for listener in [one for one in self._listeners if one.topic is topic]:
            for event in told:
                listener.tell(event)

    def close(self) -> None:
        """Let all listeners end."""
        self._is_closed = True
        for listener in self._listeners:
            listener.is_slow = True
            listener.tell(None)

    async def _look(self) -> None:
        marks: tuple[int, int] | None = None
        while True:
            try:
                marks = await self._look_once(marks)
            except SinkholeError as error:
                self._log.debug("admin.live_failed", why=error)  # whoever opens the store says so
            except Exception:
                self._log.exception("admin.live_failed")
            await asyncio.sleep(LOOK_EVERY)

    async def _look_once(self, marks: tuple[int, int] | None) -> tuple[int, int]:
        if marks is None:
            marks = await self._readers.do(_newest)
            self._is_looking.set()
            return marks
        last_hit, last_run = marks
        hits, runs = await self._readers.do(lambda state: _since(state, last_hit, last_run))
        self.tell(Topic.HITS, map(_event_of, hits))
        self.tell(Topic.SYNC, (Event("run", one.model_dump_json(), one.id) for one in runs))
        return max([last_hit, *(one.id for one in hits)]), max([last_run, *(one.id for one in runs)])


def _event_of(hit: Hit) -> Event:
    return Event("hit", hit.model_dump_json(), hit.id)


def _newest(state: State) -> tuple[int, int]:
    runs = state.feeds.runs_of_all(1)
    return _reports(state).newest_id(), runs[0]["id"] if runs else 0


def _since(state: State, last_hit: int, last_run: int | None) -> tuple[list[Hit], list[SyncRun]]:
    """Return hits and (for None no) runs that came after those."""
    lines = [line for line in _reports(state).page(None, _MOST_AT_ONCE) if line.id > last_hit]
    runs = [] if last_run is None else state.feeds.runs_of_all(_MOST_AT_ONCE, after=last_run)
    return [Hit.of(line) for line in reversed(lines)], [SyncRun.of(run) for run in reversed(runs)]


def _reports(state: State) -> Reports:
    return Reports(state.store, state.settings.record.attempt_window)
