"""The store full, locked, deleted or broken: answers go on, hits wait or are counted as dropped, and it heals."""

import os
import resource
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.flood import ask_all
from tests.e2e.load import Load
from tests.e2e.memory import control_pid
from tests.e2e.running import Server, sinkhole_json
from tests.e2e.stored import STORE, counter, hits_by_name, integrity, wait_until

CONFIG = "feeds.sync = false\n"


def server_on(folder: Path, upstream: int) -> Server:
    """Return a server, not started yet, that syncs nothing."""
    config = folder.parent / "sinkhole.toml"
    config.write_text(CONFIG)
    return Server(folder, "--config", config, upstream=upstream)


@contextmanager
def served(server: Server) -> Iterator[Server]:
    """Start a server, and see at its end that nothing unforeseen was raised."""
    server.start()
    try:
        yield server
    finally:
        status = server.stop()
    assert status == 0
    assert "Traceback" not in server.log


@pytest.fixture
def running(tmp_path, upstream) -> Iterator[Server]:
    """A server that syncs nothing, with its store open."""
    with served(server_on(tmp_path / "data", upstream.port)) as server:
        server.wait_for(r"store\.open")
        yield server


def ask_until_stored(server: Server, fault: Callable[[], object], seconds: float, heal: Callable[[], object]) -> None:
    """Have a fault for some seconds under load; then every blocked query must be stored, each once."""
    with Load(server.port, rate=150, retry=False) as load:  # who asks again may be counted twice
        time.sleep(0.5)
        fault()
        time.sleep(seconds)
        heal()
        time.sleep(0.5)
    assert load.wrong() == load.lost() == []
    assert load.longest_wait() < 1.0
    sent = Counter(one.name for one in load.asked if one.name.endswith("deepseek.com"))
    wait_until(lambda: sum(hits_by_name(server.data_dir, "%deepseek.com").values()) >= sent.total())
    assert hits_by_name(server.data_dir, "%deepseek.com") == sent
    assert integrity(server.data_dir) == "ok"


def lock(data_dir: Path) -> sqlite3.Connection:
    """Lock the store for everyone else."""
    connection = sqlite3.connect(data_dir / STORE, isolation_level=None, timeout=10, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


@pytest.mark.parametrize("seconds", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_locked_store_delays_no_answer_and_loses_no_hit(running, seconds):
    """R-D01, R-D03: another process has the store locked, longer than we wait for it."""
    held: list[sqlite3.Connection] = []
    ask_until_stored(running, lambda: held.append(lock(running.data_dir)), seconds, lambda: held[0].close())


def test_start_with_a_locked_store_serves_the_last_policy(tmp_path, upstream):
    """R-O06: the policy of the last run is served at once, loudly; hits wait until the store can be had."""
    first = server_on(tmp_path / "data", upstream.port)
    with served(first):
        first.cli("policy", "allow", "vendor:mistral")
    held = lock(first.data_dir)
    with served(server_on(tmp_path / "data", upstream.port)) as server:
        assert server.addresses("api.mistral.ai") == [TRUE_ADDRESS]
        assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
        server.wait_for(r"ERROR store\.failed .*locked", 15)
        held.close()
        server.wait_for(r"store\.open", 15)
        assert wait_until(lambda: hits_by_name(server.data_dir).get("chat.deepseek.com") == 1)


def test_deleted_store_is_made_anew(running):
    """R-D03: somebody deletes the file under the running server."""
    running.ask("chat.deepseek.com")
    assert wait_until(lambda: sum(hits_by_name(running.data_dir).values()) == 1)
    said = len(running.log)
    for path in running.data_dir.glob(f"{STORE}*"):
        path.unlink()
    for _ in range(30):
        assert running.addresses("chat.deepseek.com") == ["0.0.0.0"]
    running.wait_for(r"store\.failed", 10, start=said)
    running.wait_for(r"store\.open", 10, start=said)
    assert wait_until(lambda: sum(hits_by_name(running.data_dir).values()) == 30)
    running.cli("policy", "allow", "vendor:mistral")
    assert running.addresses("api.mistral.ai") == [TRUE_ADDRESS]


def test_broken_store_at_the_start_is_set_aside(tmp_path, upstream):
    """R-D04, R-O06: the file is kept beside a new one; policy is the last compiled one until the new store speaks."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / STORE).write_bytes(os.urandom(50_000))
    with served(server_on(data, upstream.port)) as server:
        assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
        server.wait_for(r"ERROR store\.broken", 15)
        server.wait_for(r"store\.open", 15)
        assert wait_until(lambda: hits_by_name(data).get("chat.deepseek.com") == 1)
        assert list(data.glob("store.db.broken-*"))


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 16 MiB, where we may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "sinkhole-test", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(place: Path) -> Path:
    """Leave no room; return the file that takes it."""
    filler = place / "filler"
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return filler


def test_full_disk_loses_no_hit_and_no_answer(small_disk, upstream):
    """R-D03: while there is no room hits wait in memory; policy changes are refused with a reason."""
    with served(server_on(small_disk / "data", upstream.port)) as server:
        server.wait_for(r"store\.open")
        server.wait_for(r"policy\.swapped")
        fillers: list[Path] = []
        ask_until_stored(server, lambda: fillers.append(fill(small_disk)), 4, lambda: fillers[0].unlink())
        assert "store.failed" in server.log
        fill(small_disk)
        assert "full" in server.cli("policy", "allow", "vendor:mistral", check=False).stderr
        assert server.addresses("api.mistral.ai") == ["0.0.0.0"]


def test_full_disk_at_the_start(small_disk, upstream):
    """R-O06: what was compiled before is served."""
    first = server_on(small_disk / "data", upstream.port)
    with served(first):
        first.wait_for(r"policy\.swapped")
    filler = fill(small_disk)
    with served(server_on(small_disk / "data", upstream.port)) as server:
        assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
        assert server.addresses("example.org") == [TRUE_ADDRESS]
        filler.unlink()
        assert wait_until(lambda: hits_by_name(server.data_dir).get("chat.deepseek.com") == 1)


def test_files_that_may_not_grow(running):
    """R-D03: the same through a limit of the process, where no file system can be mounted."""
    pid = control_pid(running)
    size = max(path.stat().st_size for path in running.data_dir.glob(f"{STORE}*"))
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    ask_until_stored(
        running,
        lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (size // 2, before[1])),
        3,
        lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, before),
    )
    assert "store.failed" in running.log


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_cannot_wait_is_counted_as_dropped(running):
    """R-D03, R-O11: stored and dropped together are what was asked; the report says so."""
    held = lock(running.data_dir)
    asked = ask_all(running.port, (f"d{number}.deepseek.com" for number in range(250_000)))
    held.close()

    def settled() -> int:
        stored = sum(hits_by_name(running.data_dir, "d%.deepseek.com").values())
        return stored + counter(running.data_dir, "hits_dropped")

    assert wait_until(lambda: settled() >= asked, 120), (settled(), asked)
    assert settled() == asked
    report = sinkhole_json("report", data_dir=running.data_dir)
    assert report["hits_dropped"] == counter(running.data_dir, "hits_dropped") > 0
    assert "d999.deepseek.com" in hits_by_name(running.data_dir)
