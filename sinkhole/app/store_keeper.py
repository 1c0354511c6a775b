"""Keep the store open for the control process, whatever happens to the file, and off the event loop.

All access is on one thread: SQLite has one writer anyway, and an answer never waits for it.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sinkhole.app.state import State, open_state
from sinkhole.config.schema import Settings
from sinkhole.errors import StoreError
from sinkhole.log import Log
from sinkhole.store.database import BrokenStoreError
from sinkhole.store.handover import Debts
from sinkhole.store.pseudonym import client_writer
from sinkhole.store.recorder import HitBatch, Recorder
from sinkhole.store.retention import Retention, steps

Result = TypeVar("Result")
REOPEN_AFTER = 1.0
"""Seconds between attempts to open a store that cannot be opened."""


class StoreKeeper:
    """Opens the store, and opens it again after a failure; says each once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, "store")
        self._state: State | None = None
        self._recorder: Recorder | None = None
        self._debts = Debts()
        self._is_suspect = True  # a store that was not closed, or that failed as damaged: look through all of it
        self._tried = 0.0
        self._why: str | None = "has not been opened yet"
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
        if not self._debts.permits(batch.worker, batch.seq):
            return False
        try:
            is_stored = await self.do(lambda _state: self._recorder is not None and self._recorder.write(batch))
        except StoreError:
            self._debts.note_failure(batch.worker, batch.seq)
            raise
        if is_stored:
            self._debts.note_success(batch.worker, batch.seq)
        return is_stored

    async def retain(self) -> None:
        """Delete what is older or larger than the settings permit, in steps between which hits are written.

        A failure waits for the next time.
        """
        record = self._settings.record
        keep = Retention(record.days, record.max_mib * 1024 * 1024, record.attempt_window)
        gone = 0
        try:
            todo = await self.do(lambda state: steps(state.store, keep, time.time()))
            while (deleted := await self.do(lambda _state: next(todo, None))) is not None:
                gone += deleted
        except StoreError:
            return
        if gone:
            self._log.info("hits.retained", deleted=gone)

    async def close(self) -> None:
        """Close the store after what is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _do(self, work: Callable[[State], Result]) -> Result:
        try:
            return work(self._open())
        except StoreError as error:
            self._note_failure(error)
            raise

    def _open(self) -> State:
        if self._state is None:
            now = time.monotonic()
            if now - self._tried < REOPEN_AFTER and self._tried:
                raise StoreError(f"the store is not open: {self._why}")
            self._tried = now
            state = open_state(self._settings, who="sinkhole server", is_thorough=self._is_suspect)
            self._is_suspect = False
            client_text = client_writer(self._settings.record.clients, state.folder)
            self._recorder = Recorder(state.store, client_text)
            self._state = state
            if self._why is not None:
                self._log.info("store.open", path=state.store.path)
            self._why = None
        return self._state

    def _note_failure(self, error: StoreError) -> None:
        self._is_suspect = self._is_suspect or isinstance(error, BrokenStoreError)
        if "is not open" not in str(error) and str(error) != self._why:
            self._log.error("store.failed", why=error, effect="answers go on, hits wait in the workers")
            self._why = str(error)
        self._close()

    def _close(self) -> None:
        if self._state is not None:
            self._state.close()
        self._state = self._recorder = None
