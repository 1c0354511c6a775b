"""Lists and policy of a running server: processes, sockets, a list server on loopback."""

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from tests.cli.lists import ListThread
from tests.e2e.conftest import UpstreamThread
from tests.e2e.running import Server, running, sinkhole, sinkhole_json
from tests.fakes import FakeUpstream, answers
from tests.feeds.rig import names, rows

TRUE = ["192.0.2.80"]
BLOCKED = ["0.0.0.0"]
KNOWN = {(name, "A"): TRUE for name in ("example.org", "chat.deepseek.com", *names(20))}


@pytest.fixture
def lists() -> Iterator[ListThread]:
    with ListThread() as thread:
        yield thread


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with UpstreamThread(FakeUpstream(answers(KNOWN))) as fake:
        yield fake


@pytest.fixture
def server(tmp_path, upstream) -> Iterator[Server]:
    with running(tmp_path / "data", upstream=upstream.port) as found:
        yield found


def test_synced_rules_are_in_force_when_the_command_returns(server, lists):
    """R-F02: within a second, for cached answers too."""
    lists.server.serve(rows(names(5)))
    assert server.addresses("ai1.example.org") == TRUE
    server.cli("feeds", "add", lists.url(), "--name", "ours", "--format", "domains", "--allow-private")
    done = server.cli("sync", "ours")
    assert server.addresses("ai1.example.org") == BLOCKED
    assert server.addresses("www.ai1.example.org") == BLOCKED
    # The server syncs a feed that was never fetched by itself, and may have been faster.
    assert re.search(r"^ours +(updated|unchanged) +5 ", done.stdout, re.MULTILINE)
    assert "\nrules: in force as generation " in done.stdout
    server.cli("feeds", "disable", "ours")
    assert server.addresses("ai1.example.org") == TRUE


@pytest.mark.alone
def test_server_syncs_by_itself_and_keeps_what_it_has(tmp_path, upstream, lists):
    """R-F01, R-F10: fetched at the start, in force within a second; after a restart with the list gone, still."""
    lists.server.serve(rows(names(5)))
    data = tmp_path / "data"
    sinkhole("feeds", "add", lists.url(), "--name", "ours", "--format", "domains", "--allow-private", data_dir=data)
    with running(data, upstream=upstream.port) as server:
        server.wait_for(r"feed\.synced feed=ours status=updated", 30)
        deadline = time.monotonic() + 5  # a second where nothing else runs
        while server.addresses("ai1.example.org") != BLOCKED:
            assert time.monotonic() < deadline
    lists.server.serve("gone", status=404)
    with running(data, upstream=upstream.port) as server:
        assert server.addresses("ai1.example.org") == BLOCKED


def test_answers_go_on_while_the_control_process_stands_still(server):
    """R-D01: no answer waits for it, what was counted meanwhile is stored after, and no command hangs on it to look."""
    server.wait_for(r"policy\.published generation=2")  # it is at work, and not still starting
    server.ask("chat.deepseek.com")
    control = server.pids()["control"]
    os.kill(control, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(50):
            assert server.addresses("chat.deepseek.com", timeout=1) == BLOCKED
            assert server.addresses("example.org", timeout=1) == TRUE
        assert time.monotonic() - began < 5
        assert sinkhole_json("check", "chat.deepseek.com", data_dir=server.data_dir)["outcome"] == "BLOCK"
    finally:
        os.kill(control, signal.SIGCONT)
    assert server.stop() == 0
    (row,) = sinkhole_json("hits", "top", data_dir=server.data_dir)
    assert (row["vendor"], row["hits"]) == ("deepseek", 51)


def test_doctor_of_a_good_server(tmp_path, upstream):
    """Its own query and a canary; the exit status is the worst finding."""
    with running(tmp_path / "data", upstream=upstream.port) as first:
        port = first.port  # free again in a moment, and unlikely to be taken by then
    listen = ("--listen", f"127.0.0.1:{port}")
    with running(tmp_path / "data", *listen, upstream=upstream.port) as server:
        told = {
            row["check"]: row
            for row in sinkhole_json_of(server, "port", "store", "policy", "datagrams", "code", "query", "canary")
        }
        assert {row["grade"] for row in told.values()} == {"good"}
        assert told["query"]["text"] == f"a server answers on 127.0.0.1:{port}"
        assert told["datagrams"]["text"].startswith("up to 64 come and go")
        assert told["code"]["text"].startswith("the query path ")
        text = server.cli("doctor", "--only", "policy").stdout
        assert text.startswith("good  policy       generation ")
    after = sinkhole("doctor", "--only", "query", data_dir=tmp_path / "data", check=False)
    assert after.returncode == 2
    assert after.stdout.startswith("FAIL  query")


def sinkhole_json_of(server: Server, *checks: str) -> list[dict[str, str]]:
    """Run some checks; return what they found."""
    words = [word for check in checks for word in ("--only", check)]
    found: list[dict[str, str]] = sinkhole_json("doctor", *words, data_dir=server.data_dir)
    return found
