"""At full load nothing is miscounted, and nothing old is answered once a change is acknowledged."""

import itertools
import re
import shutil
import socket
import sqlite3
import subprocess
import time
from collections import Counter

import pytest

from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.flood import wire_of
from tests.e2e.running import HOST, Server, clean_environment, running
from tests.e2e.stored import counter, hits_by_name, wait_until
from tests.e2e.storm import Storm

pytestmark = pytest.mark.alone

QUERIES = 40_000
CONFIG = f"feeds.sync = false\nrecord.names_per_client = {QUERIES}\n"
BLOCKED, TRUE = bytes(4), socket.inet_aton(TRUE_ADDRESS)


def names(domain: str) -> list[str]:
    """Of ten names one was never asked before, the others are asked again and again."""
    return [f"new{n}.{domain}" if n % 10 == 0 else f"again{n % 97}.{domain}" for n in range(QUERIES)]


def test_as_many_hits_are_stored_as_queries_were_blocked(tmp_path, upstream):
    """R-D01, R-D02: exactly, name by name, with the control process on the same cores."""
    config = tmp_path / "sinkhole.toml"
    config.write_text(CONFIG)
    with running(tmp_path / "data", "--config", config, upstream=upstream.port) as server:
        asked = names("deepseek.com")
        began = time.monotonic()
        with Storm(server.port, (wire_of(name, 0) for name in asked)) as storm:
            storm.join()
        print(f"{QUERIES / (time.monotonic() - began):,.0f} q/s")
        assert (storm.lost, {one.end for one in storm.answered}) == (0, {BLOCKED})
        assert hits_once_stored(server, "%deepseek.com") == Counter(asked)
        if shutil.which("dnsperf"):
            perf(server, tmp_path / "queries.txt")
        assert counter(server.data_dir, "hits_dropped") == 0


def perf(server: Server, queries) -> None:
    """The same with dnsperf, which is faster and tells how many were answered."""
    asked = names("mistral.ai")
    queries.write_text("".join(f"{name} A\n" for name in asked))
    command = ["dnsperf", "-s", HOST, "-p", str(server.port), "-d", queries, "-n", "1", "-c", "8", "-q", "200"]
    text = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, env=clean_environment()
    ).stdout
    sent, answered = (int(re.search(rf"Queries {what}:\s+(\d+)", text)[1]) for what in ("sent", "completed"))
    print(re.search(r"Queries per second:\s+(\S+)", text)[1], "q/s from dnsperf")
    assert sent == answered == QUERIES
    assert hits_once_stored(server, "%mistral.ai") == Counter(asked)


def hits_once_stored(server: Server, like: str) -> dict[str, int]:
    """Return what is stored once as many hits are as there were queries, or more."""

    def is_so() -> bool:
        try:
            return sum(hits_by_name(server.data_dir, like).values()) >= QUERIES
        except sqlite3.OperationalError:  # the store is made after the server is ready
            return False

    assert wait_until(is_so, 30)
    return hits_by_name(server.data_dir, like)


def variants() -> list[bytes]:
    """Queries that the packet cache holds apart: by letter case, and with another flag; the last is never allowed."""
    spelled = ["api.mistral.ai", "API.mistral.ai", "api.MISTRAL.ai", "api.mistral.AI"]
    wires = [wire_of(name, 0) for name in spelled]
    wires += [wire[:3] + b"\x10" + wire[4:] for wire in wires]  # CD
    return [*wires, wire_of("chat.deepseek.com", 0)]


def test_no_old_answer_leaves_after_a_change_of_policy_is_acknowledged(tmp_path, upstream):
    """R-C21: under full load, from both workers; from the moment at which the command returns."""
    config = tmp_path / "sinkhole.toml"
    config.write_text(CONFIG + "server.workers = 2\n")
    changes: list[tuple[float, float, bytes]] = []
    wires = variants()
    with running(tmp_path / "data", "--config", config, upstream=upstream.port) as server:
        with Storm(server.port, itertools.cycle(wires)) as storm:
            storm.until_more(2000)
            for words, end in ((("allow", "mistral"), TRUE), (("remove", "vendor:mistral"), BLOCKED)):
                begun = time.monotonic()
                assert "in force" in server.cli("policy", *words).stdout
                changes.append((begun, time.monotonic(), end))
                storm.until_more(4000)
            finished = time.monotonic()
        answered = list(storm.answered)
        print(f"{len(answered) / (finished - answered[0].sent):,.0f} q/s")
        assert storm.lost == 0
    ends = [begun for begun, _, _ in changes[1:]] + [finished]
    for (_, acknowledged, end), until in zip(changes, ends, strict=True):
        within = [one for one in answered if one.sent > acknowledged and one.came < until]
        assert len(within) > 2000
        for one in within:
            right = BLOCKED if one.number % len(wires) == len(wires) - 1 else end
            assert one.end == right, (one, acknowledged)
    assert {one.end for one in answered if one.number % len(wires) == len(wires) - 1} == {BLOCKED}
