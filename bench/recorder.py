"""`python -m bench.recorder`: rows a second that the recorder stores, medians of 20 batches of 20,000 rows."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sinkhole.policy.hit import HitRow
from sinkhole.store.database import open_store
from sinkhole.store.recorder import HitBatch, Recorder

ROWS = 20_000
BATCHES = 20
MINUTE = 29_300_000

WORKLOADS: dict[str, Callable[[int, int], tuple[str, int]]] = {
    "new rows, known names": lambda batch, n: (f"n{n % 2000}.example.org", MINUTE + batch),
    "new rows, new names": lambda batch, n: (f"b{batch}n{n}.example.org", MINUTE + batch),
    "rows added to": lambda _batch, n: (f"n{n % 2000}.example.org", MINUTE),
}
"""Name and minute of the n-th row of a batch."""


def batch_of(workload: Callable[[int, int], tuple[str, int]], seq: int) -> HitBatch:
    """Return a batch of 500 clients."""
    rows = []
    for n in range(ROWS):
        name, minute = workload(seq, n)
        client = f"10.0.{n % 500 // 250}.{n % 250}"
        at = minute * 60
        rows.append(HitRow(minute, client, None, name, 1 + n % 2 * 27, "block", "v", "v/p", None, "ai", 1, at, at))
    return HitBatch("bench", seq, tuple(rows))


def measure(workload: Callable[[int, int], tuple[str, int]]) -> float:
    """Return the rows a second of the median batch."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "store.db")
        recorder = Recorder(store, str)
        speeds = []
        for seq in range(1, BATCHES + 1):
            batch = batch_of(workload, seq)
            began = time.perf_counter()
            recorder.write(batch)
            speeds.append(ROWS / (time.perf_counter() - began))
        store.close()
    return statistics.median(speeds)


if __name__ == "__main__":
    for name, workload in WORKLOADS.items():
        print(f"{name:<24} {measure(workload):>9,.0f} rows/s")
