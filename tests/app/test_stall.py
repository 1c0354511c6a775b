"""Signs of life, and the stack of a loop that stands still."""

import asyncio
import os
import subprocess
import sys

from sinkhole.app.child import BEAT, READY
from sinkhole.app.stall import beat, until_orphaned

BLOCKED = """
import asyncio, os, time
from sinkhole.app.stall import beat

def stand_still():
    time.sleep(0.6)

async def main():
    task = asyncio.create_task(beat(os.open(os.devnull, os.O_WRONLY), stalled_after=0.2))
    await asyncio.sleep(0)
    stand_still()
    task.cancel()

asyncio.run(main())
"""


async def test_first_ready_then_beats():
    read, write = os.pipe2(os.O_NONBLOCK)
    task = asyncio.create_task(beat(write))
    await asyncio.sleep(0)
    assert os.read(read, 100) == READY + BEAT
    task.cancel()
    await asyncio.wait({task})
    os.close(read)
    os.close(write)


async def test_supervisor_that_does_not_read_or_is_gone_stops_nobody():
    read, write = os.pipe2(os.O_NONBLOCK)
    while True:
        try:
            os.write(write, b"x" * 4096)
        except BlockingIOError:
            break
    for round_number in range(2):
        task = asyncio.create_task(beat(write))
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        await asyncio.wait({task})
        if round_number == 0:
            os.close(read)
    os.close(write)


def test_loop_that_stands_still_is_shown_with_its_stack():
    """R-O10: the stack says where, long before the supervisor kills the process."""
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True)
    assert "stand_still" in done.stderr
    assert "Timeout" in done.stderr


async def test_end_of_the_supervisor_is_noticed():
    read, write = os.pipe()
    waiting = asyncio.create_task(until_orphaned(read))
    await asyncio.sleep(0)
    assert not waiting.done()
    os.close(write)
    await asyncio.wait_for(waiting, 5)
    os.close(read)
