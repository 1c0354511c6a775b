"""A worker takes the newest table in, and goes by addresses where there is none that is fresh."""

import asyncio
import os
import time

from sinkhole.app.identity_watch import LOOK_INTERVAL, IdentityWatch
from sinkhole.clients.table import GOOD_FOR, NAME, write_table
from sinkhole.policy.identity import Identity

WHO = Identity("aa:bb:cc:dd:ee:ff", ("pc7.lab.example",), ("X",))


class Clock:
    def __init__(self):
        self.late = 0.0

    def __call__(self):
        return time.time() + self.late


def watch(folder):
    changes, clock = [], Clock()
    return IdentityWatch(folder, changes.append, clock), changes, clock


def test_without_a_table_nobody_is_known(tmp_path):
    watched, changes, _ = watch(tmp_path)
    assert watched.of("192.0.2.7") is None
    assert changes == []


def test_table_that_is_there_at_the_start(tmp_path):
    write_table(tmp_path, {"192.0.2.7": WHO})
    watched, changes, _ = watch(tmp_path)
    assert watched.of("192.0.2.7") == WHO
    assert changes == []


def test_only_what_changed_is_told(tmp_path):
    write_table(tmp_path, {"192.0.2.7": WHO, "192.0.2.8": WHO})
    watched, changes, _ = watch(tmp_path)
    write_table(tmp_path, {"192.0.2.7": Identity(ids=("Y",)), "192.0.2.8": WHO, "192.0.2.9": WHO})
    watched.take_newest()
    watched.take_newest()
    assert changes == [{"192.0.2.7", "192.0.2.9"}]
    assert watched.of("192.0.2.7") == Identity(ids=("Y",))


def test_damaged_table_changes_nothing(tmp_path, caplog):
    write_table(tmp_path, {"192.0.2.7": WHO})
    watched, changes, _ = watch(tmp_path)
    (tmp_path / NAME).write_text("nonsense")
    watched.take_newest()
    watched.take_newest()
    assert watched.of("192.0.2.7") == WHO
    assert changes == []
    assert caplog.text.count("clients.refused") == 1


def test_table_that_nobody_keeps_up_is_dropped_and_taken_again(tmp_path):
    """The control process is gone for long: who had an address then may not have it now."""
    write_table(tmp_path, {"192.0.2.7": WHO})
    watched, changes, clock = watch(tmp_path)
    clock.late = GOOD_FOR + 1
    watched.take_newest()
    watched.take_newest()
    assert watched.of("192.0.2.7") is None
    os.utime(tmp_path / NAME, (clock(), clock()))
    watched.take_newest()
    assert watched.of("192.0.2.7") == WHO
    assert changes == [{"192.0.2.7"}, {"192.0.2.7"}]


async def test_new_table_is_noticed_without_being_told(tmp_path):
    watched, _, _ = watch(tmp_path)
    task = asyncio.create_task(watched.run())
    write_table(tmp_path, {"192.0.2.7": WHO})
    async with asyncio.timeout(20 * LOOK_INTERVAL):
        while watched.of("192.0.2.7") is None:
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
