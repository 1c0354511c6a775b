"""A process gets its part of a core and no more, as long as it is said."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.proc import on_cpu_seconds
from bench.shares import shared


@pytest.fixture
def busy():
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process.pid
        process.kill()


def test_process_has_no_more_than_its_part(busy):
    with shared(busy, 0.25) as is_bounded:
        if not is_bounded:
            pytest.skip("needs root, and groups of processes whose time can be bounded")
        time.sleep(0.05)
        before, began = on_cpu_seconds(busy), time.monotonic()
        time.sleep(0.5)
        taken = (on_cpu_seconds(busy) - before) / (time.monotonic() - began)
        assert taken < 0.3
        [group] = Path("/sys/fs/cgroup").glob(f"**/sinkhole-bench-{busy}-*")
    assert not group.exists()
    assert Path(f"/proc/{busy}").exists()


def test_what_has_ended_meanwhile_is_no_failure(busy):
    with shared(busy, 0.5) as is_bounded:
        if not is_bounded:
            pytest.skip("needs root, and groups of processes whose time can be bounded")
        subprocess.run(["kill", "-9", str(busy)], check=True)
        time.sleep(0.2)
    assert not list(Path("/sys/fs/cgroup").glob(f"**/sinkhole-bench-{busy}-*"))
