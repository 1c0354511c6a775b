"""Keep the store open for the control process, whatever happens to the file, and off the event loop.

All access is on one thread: SQLite has one writer anyway, and an answer never waits for it.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sinkhole.app.data_dir import STORE
from sinkhole.app.state import State, open_state
from sinkhole.app.summing import sum_up
from sinkhole.config.schema import Settings
from sinkhole.errors import CatalogueError, StoreError
from sinkhole.log import Log
from sinkhole.store.broken import was_left_open
from sinkhole.store.database import BrokenStoreError
from sinkhole.store.handover import Debts
from sinkhole.store.out_store import OutStore
from sinkhole.store.pseudonym import client_writer
from sinkhole.store.recorder import HitBatch, Recorder
from sinkhole.store.retention import Retention, steps

Result = TypeVar("Result")
REOPEN_AFTER = 1.0
"""Seconds between attempts to open a store that cannot be opened."""
_BREATH = 0.02
"""Seconds between two spans that are counted: what else needs the store, or the processor, goes first."""
CLOCK_JUMP = 3600.0
"""Seconds that the clock may be set by before nothing is deleted for being old."""


class NotOpenError(StoreError):
    """The store failed a moment ago, and is not tried again yet."""


class StoreKeeper:
    """Opens the store, and opens it again after a failure; says once that it failed, and once that it works again.

    Args:
        settings: which store, and what is recorded.
        wall, monotonic: the clocks.
    """

    def __init__(
        self,
        settings: Settings,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()
        self._thread = ThreadPoolExecutor(1, "store")
        self._state: State | None = None
        self._recorder: Recorder | None = None
        self._debts = Debts()
        # Of a store that was not closed, or that failed as damaged, all is looked through.
        self._is_suspect = was_left_open(settings.server.data_dir / STORE)
        self._tried: float | None = None
        self._why: str | None = "has not been opened yet"
        self._said: set[str] = set()
        self._is_recording_broken = False
        self._log = Log("store")

    @property
    def state_in_words(self) -> str:
        """`open`, or why it is not."""
        return self._why or "open"

    async def until_open(self) -> None:
        """Return when the store is open."""
        while True:
            try:
                await self.do(lambda state: None)
            except StoreError:
                await asyncio.sleep(REOPEN_AFTER)
            else:
                return

    async def do(self, work: Callable[[State], Result]) -> Result:
        """Run `work` on the open state, on the store's thread.

        Raises:
            StoreError: the store cannot be used now; it is opened again at a later call.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    async def record(self, batch: HitBatch) -> bool:
        """Write a batch; False where it must be sent again later. Raises as `do`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._record, batch)

    async def seal(self) -> int:
        """Let no row of hits that is written by now change any more; return the id of the last. Raises as `do`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._do(self._seal))

    def _seal(self, state: State) -> int:
        if self._recorder is not None:
            self._recorder.seal()
        return OutStore(state.store).newest("hits")

    async def retain(self) -> None:
        """Delete what is older or larger than the settings permit, in steps between which hits are written.

        Names that look like AI and were not seen for long go too. A failure waits for the next time.
        """
        if self._has_clock_jumped():
            return
        record = self._settings.record
        days = self._settings.clients.activity_days
        keep = Retention(record.days, record.max_mib * 1024 * 1024, record.attempt_window, activity_days=days)
        gone = 0
        try:
            store = await self.do(lambda state: state.store)
            todo = steps(store, keep, self._wall())
            # Steps of a store that was closed meanwhile would open it behind our back.
            while (
                deleted := await self.do(lambda state: next(todo, None) if state.store is store else None)
            ) is not None:
                gone += deleted
            before = int(self._wall()) - self._settings.discover.days * 86_400
            await self.do(lambda state: state.candidates.forget(before))
        except StoreError:
            return
        if gone:
            self._log.info("hits.retained", deleted=gone)

    async def sum_up(self) -> None:
        """Count the hours and days that are over, in steps between which hits are written; a failure waits."""
        try:
            store = await self.do(lambda state: state.store)
            todo = await self.do(lambda state: sum_up(state, self._wall()))
            is_made = True
            while is_made:
                is_made = await self.do(lambda state: state.store is store and next(todo, None) is not None)
                await asyncio.sleep(_BREATH)
        except (StoreError, CatalogueError):
            return

    async def close(self) -> None:
        """Close the store after what is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _do(self, work: Callable[[State], Result], *, is_recording: bool = False) -> Result:
        try:
            state = self._open()
        except NotOpenError:
            raise
        except StoreError as error:
            self._note_failure(error)
            raise
        try:
            result = work(state)
        except StoreError as error:
            self._is_recording_broken = self._is_recording_broken or is_recording
            self._note_failure(error)
            raise
        self._note_success(is_recording)
        return result

    def _record(self, batch: HitBatch) -> bool:
        if not self._debts.permits(batch.worker, batch.seq):
            return False
        try:
            is_stored = self._do(
                lambda _: self._recorder is not None and self._recorder.write(batch), is_recording=True
            )
        except StoreError:
            self._debts.note_failure(batch.worker, batch.seq)
            raise
        if is_stored:
            self._debts.note_success(batch.worker, batch.seq)
        return is_stored

    def _open(self) -> State:
        if self._state is None:
            now = self._monotonic()
            if self._tried is not None and now - self._tried < REOPEN_AFTER:
                raise NotOpenError(f"the store is not open: {self._why}")
            self._tried = now
            state = open_state(self._settings, who="sinkhole server", is_thorough=self._is_suspect)
            self._is_suspect = False
            try:
                client_text = client_writer(self._settings.record.clients, state.folder)
            except StoreError:
                state.close()
                raise
            self._recorder = Recorder(state.store, client_text)
            self._state = state
        return self._state

    def _note_failure(self, error: StoreError) -> None:
        self._is_suspect = self._is_suspect or isinstance(error, BrokenStoreError)
        self._why = str(error)
        if self._why not in self._said:
            self._said.add(self._why)
            self._log.error("store.failed", why=error, effect="answers go on, hits wait in the workers")
        self._close()

    def _note_success(self, is_recording: bool) -> None:
        # On a full disk a store can be opened and read, and small changes fit: only hits tell that hits fit again.
        if self._why is None or (self._is_recording_broken and not is_recording):
            return
        self._log.info("store.open", path=self._settings.server.data_dir / STORE)
        self._why = None
        self._said.clear()
        self._is_recording_broken = False

    def _close(self) -> None:
        if self._state is not None:
            self._state.close()
        self._state = self._recorder = None

    def _has_clock_jumped(self) -> bool:
        """Whether the clock was set far since the last time: one that is wrong for an hour must not delete all hits."""
        offset = self._wall() - self._monotonic()
        jump, self._offset = offset - self._offset, offset
        if abs(jump) <= CLOCK_JUMP:
            return False
        self._log.warning("clock.jumped", seconds=round(jump), effect="no hits are deleted until the next time")
        return True
