"""A worker's line to the control process: hits go up in numbered batches, policy generations come down.

The worker never waits for the other side. A batch is kept until it is acknowledged, which the control process does
only once it is committed; after a restart of either side all unacknowledged batches are sent again, and the store
drops those it has (number and worker identify a batch). So a hit that was handed over is stored exactly once.
"""

import asyncio
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sinkhole.app.local_socket import MessageError, connect_control, read_messages, to_json
from sinkhole.log import Log
from sinkhole.policy.hit import HitRow, columns_of
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.sightings import Sightings
from sinkhole.transport.gate import ClientGate

FLUSH_INTERVAL = 0.25
BUSY_INTERVAL = 1.0
"""Seconds until rows are taken again after more than `BUSY_ROWS`: in a flood most are the same ones, counted on, and
a row of a large batch costs the store half of one of a small batch."""
BUSY_ROWS = 100
MOST_ROWS = 20_000
"""Rows that do not wait."""
COUNT_INTERVAL = 5.0
"""Seconds between messages of what this worker has counted."""
RECONNECT_AFTER = 0.2
RESEND_AFTER = 3.0
"""Seconds without an acknowledgement after which batches are sent again: the store may have been full or locked."""
LOTS_PER_BATCH = 20
ROWS_PER_LOT = 50
"""Rows written in one turn of the event loop, 0.05 ms: queries come in between."""
ROWS_AT_ONCE = 10
"""Rows taken in one turn, as long."""
MANY_ROWS = 5000
"""Rows of which as many are taken at once as are written: to begin costs by how many were taken before."""
SIGHTINGS_PER_BATCH = 200
CLIENTS_PER_BATCH = 2000
MAX_UNACKNOWLEDGED = 64
"""Batches kept; beyond that rows stay in `Hits`, whose bound counts what is dropped."""


class ControlLink:
    """Keep the line up, whatever happens to the control process.

    Args:
        folder: data folder.
        hits: where the query path counts.
        load_policy: loads the newest published policy, returns its generation; its failure is logged by itself.
        counters: numbers of this worker that the control process shows.
        sightings: where names that look like AI are counted, if they are.
        clients: where clients are counted; None: nowhere.
        load_clients: loads the newest table of who is at which address.
    """

    def __init__(
        self,
        folder: Path,
        hits: Hits,
        load_policy: Callable[[], int],
        counters: Callable[[], dict[str, Any]],
        *,
        sightings: Sightings | None = None,
        clients: ClientGate | None = None,
        load_clients: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._hits = hits
        self._sightings = sightings
        self._load_policy = load_policy
        self._counters = counters
        self._clients = clients
        self._load_clients = load_clients
        self._worker = uuid.uuid4().hex
        self._seq = 0
        self._rows: list[HitRow] = []
        self._taken: list[bytes] = []
        self._rows_due = 0.0
        self._unacknowledged: dict[int, bytes] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._heard = 0.0
        self._counted = time.monotonic()
        self._acknowledged = asyncio.Event()
        self._log = Log("worker")

    async def run(self) -> None:
        """Hold the line until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._flush_forever())
            tasks.create_task(self._stay_connected())

    async def _flush_forever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_INTERVAL)
            await self._flush()
            if time.monotonic() - self._counted >= COUNT_INTERVAL:
                self._counted = time.monotonic()
                self._send({"op": "counters", **self._counters()})

    async def _flush(self, *, is_last: bool = False) -> None:
        self._report_new()
        if self._unacknowledged and time.monotonic() - self._heard > RESEND_AFTER:
            self._resend()
        sightings = self._sightings
        takes_rows = is_last or time.monotonic() >= self._rows_due or len(self._hits) >= MOST_ROWS
        # What comes meanwhile is of the next time: in a flood rows would come as fast as they are taken.
        wanted = (sys.maxsize if is_last else len(self._hits) + len(self._rows) + len(self._taken)) if takes_rows else 0
        taken = 0
        while len(self._unacknowledged) < MAX_UNACKNOWLEDGED:
            lots = await self._take_lots(wanted - taken) if taken < wanted else []
            taken += len(lots) * ROWS_PER_LOT
            dropped = self._hits.take_dropped()
            # One lot each time: a flood of new names must not hold up the hits.
            seen = sightings.drain(SIGHTINGS_PER_BATCH) if sightings is not None else ()
            sightings = None
            asking = self._clients.count_activities(CLIENTS_PER_BATCH, at_once=is_last) if self._clients else ()
            if not lots and not dropped and not seen and not asking:
                break
            self._seq += 1
            batch: dict[str, Any] = {"op": "hits", "seq": self._seq, "dropped": dropped}
            if seen:
                batch["sightings"] = [sighting.to_json_row() for sighting in seen]
            if asking:
                batch["clients"] = [one.to_json_row() for one in asking]
            if not self._unacknowledged:
                self._heard = time.monotonic()
            line = self._unacknowledged[self._seq] = _with_lots(batch, lots)
            self._write(line)
            await asyncio.sleep(0)
        if taken > BUSY_ROWS:
            self._rows_due = time.monotonic() + BUSY_INTERVAL

    async def _take_lots(self, wanted: int) -> list[bytes]:
        """Take the rows of a batch out of the hits, about as many as are wanted.

        If this is cancelled, those that were taken are of the next batch.
        """
        most = min(LOTS_PER_BATCH, -(-wanted // ROWS_PER_LOT))
        while len(self._taken) < most:
            at_once = ROWS_AT_ONCE if len(self._hits) < MANY_ROWS else ROWS_PER_LOT
            while len(self._rows) < ROWS_PER_LOT and (rows := self._hits.drain(at_once)):
                self._rows += rows
                await asyncio.sleep(0)
            if not self._rows:
                break
            lot, self._rows = self._rows, []
            self._taken.append(to_json(columns_of(lot)))
            await asyncio.sleep(0)
        lots, self._taken = self._taken, []
        return lots

    def _report_new(self) -> None:
        """Tell of clients that a group may ask more about; not kept for later, since it is the answer that matters."""
        if self._clients is None or self._writer is None:
            return
        new = self._clients.activities.take_new(CLIENTS_PER_BATCH)
        if new:
            self._send({"op": "seen", "clients": new})

    def _resend(self) -> None:
        """Send all that is not acknowledged again, oldest first: the store takes batches in order.

        What is still on its way is not sent a second time: the control process reads slowly while the store is locked.
        """
        self._heard = time.monotonic()
        if self._writer is not None and self._writer.transport.get_write_buffer_size():
            return
        for seq in sorted(self._unacknowledged):
            self._write(self._unacknowledged[seq])

    def _send(self, message: dict[str, Any]) -> None:
        self._write(to_json(message) + b"\n")

    def _write(self, line: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(line)

    async def _stay_connected(self) -> None:
        while True:
            try:
                reader, self._writer = await connect_control(self._folder)
            except OSError:
                await asyncio.sleep(RECONNECT_AFTER)
                continue
            try:
                self._send({"op": "hello", "worker": self._worker, **self._counters()})
                self._resend()
                async for message in read_messages(reader):
                    self._take(message)
            except MessageError as error:
                self._log.error("control.nonsense", why=error)
            finally:
                self._writer.close()
                self._writer = None
            await asyncio.sleep(RECONNECT_AFTER)

    def _take(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case "ack":
                self._heard = time.monotonic()
                self._unacknowledged.pop(message["seq"], None)
                self._acknowledged.set()
            case "policy":
                applied = {"op": "applied", "generation": self._load_policy()}
                # Behind the replies that were ready before, and leave in this turn.
                asyncio.get_running_loop().call_soon(self._send, applied)
            case "clients":
                self._load_clients()

    async def finish(self, seconds: float) -> None:
        """Hand over the last hits; wait at most `seconds` for the acknowledgement."""
        await self._flush(is_last=True)
        try:
            async with asyncio.timeout(seconds):
                while self._unacknowledged and self._writer is not None:
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
                    await self._flush(is_last=True)
        except TimeoutError:
            self._log.warning("hits.not_handed_over", batches=len(self._unacknowledged))


def _with_lots(batch: dict[str, Any], lots: Sequence[bytes]) -> bytes:
    """Return the message of a batch, with rows that are written already."""
    return b'%b,"rows":[%b]}\n' % (to_json(batch)[:-1], b",".join(lots))
