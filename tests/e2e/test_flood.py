"""Floods of names that never repeat: memory and descriptors end where they began (R-C19, R-P04)."""

import random

import pytest

from tests.e2e.flood import ask_all
from tests.e2e.memory import descriptors, rss_of
from tests.e2e.running import Server
from tests.e2e.stored import hits_by_name, wait_until

MAY_GROW = 1.05
SLACK_KIB = {"supervisor": 512, "worker-0": 4 * 1024, "control": 16 * 1024}
"""What an allocator may take at any time; the control process remembers up to 100,000 words and rows."""


def random_names(count: int, suffix: str, seed: int):
    """Yield names that nobody asked for before."""
    chance = random.Random(seed)
    return (f"{chance.getrandbits(64):016x}.{suffix}" for _ in range(count))


def flood(server: Server, count: int, seed: int) -> None:
    ask_all(server.port, random_names(count, "example.org", seed))
    ask_all(server.port, random_names(count, "deepseek.com", seed))


def hold_under_flood(folder, upstream, settings: str, count: int) -> None:
    """Flood once until every bound is reached, then again: nothing grows, and no hit is missing."""
    config = folder / "sinkhole.toml"
    config.write_text(f"feeds.sync = false\nrecord.names_per_client = {2 * count}\n" + settings)
    server = Server(folder / "data", "--config", config, upstream=upstream.port)
    server.start()
    try:
        flood(server, count, seed=1)
        worker = server.pids()["worker-0"]
        before, open_before = rss_of(server), descriptors(worker)
        flood(server, count, seed=2)
        after = rss_of(server)
        print(f"{4 * count} names; KiB before {before}, after {after}")
        for name, kib in after.items():
            assert kib < before[name] * MAY_GROW + SLACK_KIB[name], (before, after)
        assert wait_until(lambda: descriptors(worker) <= open_before)
        assert wait_until(lambda: len(hits_by_name(server.data_dir, "%deepseek.com")) == 2 * count, 60)
        assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
    finally:
        assert server.stop() == 0
    assert "hits.dropped" not in server.log


def test_random_names_do_not_grow_the_server(tmp_path, upstream):
    """R-C19, R-P04: the short form, with small caches."""
    hold_under_flood(tmp_path, upstream, "cache.entries = 1000\n", 6_000)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_100_000_random_names_do_not_grow_the_server(tmp_path, upstream):
    """R-C19, R-P04: the long form, with caches as they are shipped."""
    hold_under_flood(tmp_path, upstream, "", 100_000)
