"""`python -m bench.handover`: rows a second from a worker's counts into the store, both processes on one core.

All rows are different, as a flood of random blocked names makes them.
"""

import asyncio
import multiprocessing
import os
import resource
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.servers import SERVER_CORE
from sinkhole.app.collection import calm_collector
from sinkhole.app.control_link import FLUSH_INTERVAL, ControlLink
from sinkhole.app.control_server import ControlServer
from sinkhole.app.local_socket import bind_control
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.load import load_settings
from sinkhole.config.schema import RecordSettings
from sinkhole.policy.hit import rows_of_lots
from sinkhole.policy.verdict import Action, Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.resolver.hits import Hits
from sinkhole.store.recorder import HitBatch

ROWS = 200_000
_BLOCKED = Verdict(Action.BLOCK, "ai", vendor="deepseek", product="deepseek/chat")


def cpu_seconds() -> float:
    """Return what this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _no_request(message: dict[str, Any]) -> dict[str, Any]:
    return message


async def control(folder: Path, line: Connection) -> None:
    """Be the control process as far as hits go, until told to stop; tell what that took."""
    keeper = StoreKeeper(load_settings(None, {}, {"server.data_dir": folder}))
    await keeper.until_open()

    async def take(worker: str, message: dict[str, Any]) -> bool:
        return await keeper.record(HitBatch(worker, int(message["seq"]), rows_of_lots(message["rows"])))

    async with await ControlServer(take, _no_request).serve(bind_control(folder)):
        began = cpu_seconds()
        line.send(None)
        await asyncio.to_thread(line.recv)
        line.send(cpu_seconds() - began)
    await keeper.close()


def run_control(folder: Path, line: Connection) -> None:
    """Run in a process of its own."""
    asyncio.run(control(folder, line))


async def hand_over(folder: Path, hits: Hits) -> None:
    """Be the worker until all is acknowledged."""
    link = ControlLink(folder, hits, lambda: 1, lambda: {"generation": 1})
    task = asyncio.create_task(link.run())
    await asyncio.sleep(FLUSH_INTERVAL)  # it is connected then
    await link.finish(60)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def main() -> None:
    """Measure."""
    os.sched_setaffinity(0, {int(SERVER_CORE)})
    hits = Hits(RecordSettings(), max_rows=ROWS)
    when = datetime.now(UTC)
    began = cpu_seconds()
    for number in range(ROWS):
        hits.count("192.0.2.1", name_from_text(f"{number * 7919:016x}.deepseek.com"), 1, _BLOCKED, when)
    counted = cpu_seconds() - began
    calm_collector()
    with tempfile.TemporaryDirectory() as folder:
        line, other = multiprocessing.Pipe()
        child = multiprocessing.get_context("spawn").Process(target=run_control, args=(Path(folder), other))
        child.start()
        line.recv()
        began, before = time.perf_counter(), cpu_seconds()
        asyncio.run(hand_over(Path(folder), hits))
        seconds, worker = time.perf_counter() - began, cpu_seconds() - before
        line.send(None)
        stored = line.recv()
        child.join()
    print(f"{ROWS / seconds:,.0f} rows/s; us a row: counting {counted / ROWS * 1e6:.1f}, "
          f"handing over {worker / ROWS * 1e6:.1f}, control process {stored / ROWS * 1e6:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
