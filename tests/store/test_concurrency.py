"""The server records while commands write, retention deletes and reports read: nobody loses anything."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.database import open_store
from sinkhole.store.policy_store import PolicyStore
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import Reports
from sinkhole.store.retention import Retention, steps
from tests.store.rows import MINUTE, START, batch, row

BATCHES = 40
WRITER = Path(__file__).with_name("batch_writer.py")


def hits(path: Path) -> tuple[int, int]:
    """Return the queries stored, and the last batch taken, as a stranger reads them."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    count = connection.execute("SELECT COALESCE(SUM(count), 0) FROM hit").fetchone()[0]
    seq = connection.execute("SELECT COALESCE(MAX(seq), 0) FROM handover").fetchone()[0]
    connection.close()
    return count, seq


def test_recorder_and_commands_write_at_the_same_time(path):
    """R-D02: one waits for the other, within its time."""
    open_store(path).close()

    def record() -> None:
        store = open_store(path)
        recorder = Recorder(store, str)
        for seq in range(1, BATCHES + 1):
            assert recorder.write(batch(*(row(name=f"n{seq}-{number}") for number in range(200)), seq=seq))
        store.close()

    def command(number: int) -> None:
        store = open_store(path)
        PolicyStore(store, "admin").put(Statement(0, Subject.from_text(f"domain:n{number}.example"), Action.BLOCK))
        Reports(store, 300).count_by("vendor")
        store.close()

    with ThreadPoolExecutor(3) as pool:
        recording = pool.submit(record)
        list(pool.map(command, range(20)))
        recording.result()
    assert hits(path) == (BATCHES * 200, BATCHES)
    store = open_store(path)
    assert len(PolicyStore(store, "x").statements()) == 20
    store.close()


def test_retention_deletes_while_hits_come_in(path, recorder, store):
    """R-D06: between two of its steps others write, and what is new stays."""
    minute = MINUTE - 100 * 1440
    for seq in range(1, 11):
        recorder.write(batch(*(row(minute=minute, name=f"old{seq}-{number}") for number in range(500)), seq=seq))
    other = open_store(path)
    done = threading.Event()

    def clean() -> int:
        try:
            return sum(steps(other, Retention(30, 2**40, slice_rows=100), float(START)))
        finally:
            done.set()

    seq = 10
    with ThreadPoolExecutor(1) as pool:
        cleaning = pool.submit(clean)
        while not done.is_set() or seq == 10:
            seq += 1
            assert recorder.write(batch(row(name="old1-1"), row(name=f"new{seq}"), seq=seq))
        assert cleaning.result() == 5000
    other.close()
    lines = list(Reports(store, 300).lines())
    assert {line.hit.name for line in lines} == {"old1-1", *(f"new{number}" for number in range(11, seq + 1))}
    assert sum(line.hit.count for line in lines) == 2 * (seq - 10)


@pytest.mark.parametrize("round_number", range(5))
def test_killed_writer_loses_no_batch_it_acknowledged(path, round_number):
    """R-D02: kill -9 at any moment; the file is whole, and every batch is there whole or not at all."""
    open_store(path).close()
    process = subprocess.Popen([sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged >= 3 * round_number:
            os.kill(process.pid, signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in process.stdout.read().split("\n") if line.strip())])
    process.wait()
    process.stdout.close()
    count, seq = hits(path)
    assert seq >= acknowledged
    assert count == seq * 100
    store = open_store(path, is_thorough=True)
    assert Recorder(store, str).write(batch(row(), worker="writer", seq=seq + 1))
    store.close()
    assert list(path.parent.glob("*.broken-*")) == []
