"""Starting, stopping, restarting: the server as processes."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from bench.servers import free_port
from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.running import HOST, Server, running, sinkhole, sinkhole_json


def refused(*words: str, data_dir) -> str:
    done = sinkhole("serve", *words, data_dir=data_dir, check=False, timeout=20)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def attempts(server: Server) -> int:
    report = sinkhole_json("hits", "top", "--by", "vendor", data_dir=server.data_dir)
    return sum(row["hits"] for row in report)


def test_fresh_start_blocks_the_catalogue_and_answers_the_rest(server):
    """R-O06, R-B01: no configuration, no network but an upstream: the whole catalogue is blocked."""
    assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
    assert server.addresses("chat.deepseek.com", "AAAA") == ["::"]
    assert server.addresses("example.org") == [TRUE_ADDRESS]
    assert server.addresses("example.org", tcp=True) == [TRUE_ADDRESS]


def test_blocked_names_never_leave(server, upstream):
    """R-B02: no query for a blocked name, of any type, reaches an upstream."""
    for qtype in ("A", "AAAA", "HTTPS", "SVCB", "TXT", "MX", "NS", "SOA", "ANY", "CNAME", "TYPE65300"):
        server.ask("api.deepseek.com", qtype)
        server.ask("api.deepseek.com", qtype, tcp=True)
    assert not [wire for wire in upstream.queries if b"deepseek" in wire.lower()]


def test_sigterm_ends_with_status_0_and_loses_no_hit(server):
    """R-O02, R-O11: N blocked queries are N hits, also when the server is stopped right after."""
    for _ in range(50):
        server.ask("chat.deepseek.com")
    began = time.monotonic()
    assert server.stop(within=5) == 0
    assert time.monotonic() - began < 5
    assert attempts(server) == 50
    assert "Traceback" not in server.log


def test_query_in_flight_is_answered_at_a_stop(tmp_path, upstream):
    """R-O02: what was asked before SIGTERM is answered."""
    upstream.handler = delayed(upstream.handler, 0.6)
    with running(tmp_path / "data", upstream=upstream.port) as server:
        replies = []
        asking = threading.Thread(target=lambda: replies.append(server.addresses("example.org")))
        asking.start()
        while not upstream.queries:
            time.sleep(0.01)
        assert server.stop(within=5) == 0
        asking.join(5)
        assert replies == [[TRUE_ADDRESS]]


def delayed(handler, seconds):
    return lambda wire: [(seconds, answer) for _, answer in handler(wire)]


def test_starts_again_on_what_it_left(server, tmp_path, upstream):
    """R-F10, R-O07: state survives a restart."""
    server.cli("policy", "allow", "vendor:mistral")
    server.ask("chat.deepseek.com")
    server.stop()
    with running(tmp_path / "data", upstream=upstream.port) as again:
        assert again.addresses("api.mistral.ai") == [TRUE_ADDRESS]
        assert again.addresses("chat.deepseek.com") == ["0.0.0.0"]
        assert attempts(again) >= 1


def test_busy_port_names_the_holder(server, tmp_path):
    """R-O04: a second instance is refused with one sentence and does no damage."""
    said = refused("--listen", f"{HOST}:{server.port}", data_dir=tmp_path / "other")
    assert str(server.port) in said
    assert "process" in said or "pid" in said
    assert server.addresses("example.org") == [TRUE_ADDRESS]


def test_second_server_on_one_data_folder_is_refused(server):
    """R-O04: two servers never share a data folder."""
    assert "another sinkhole" in refused("--listen", f"{HOST}:0", data_dir=server.data_dir)
    assert server.addresses("example.org") == [TRUE_ADDRESS]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--listen", "nonsense"), "server.listen[0]"),
        (("--upstream", "gopher://x"), "upstream.servers[0]"),
        (("--workers", "0"), "server.workers"),
        (("--config", "/nonexistent/x.toml"), "cannot be read"),
        (("--listen", "192.0.2.77:5300", "--upstream", "127.0.0.1:1"), "192.0.2.77"),
    ],
)
def test_mistakes_end_with_status_2_and_one_sentence(tmp_path, words, said):
    """R-O03: bad settings refuse the start and name the setting."""
    message = refused(*words, data_dir=tmp_path / "data")
    assert said in message
    assert len(message.strip().splitlines()) == 1


def test_data_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused("--listen", f"{HOST}:0", data_dir=tmp_path / "file" / "data")


def test_own_address_as_upstream_is_refused(tmp_path):
    """R-C26: a loop through ourselves is refused at the start."""
    port = free_port()
    assert "where this server listens" in refused(
        "--listen", f"{HOST}:{port}", "--upstream", f"{HOST}:{port}", data_dir=tmp_path / "d"
    )


@pytest.mark.parametrize("name", ["worker-0", "control"])
def test_killed_process_is_back_within_a_second(server, name):
    """R-D02, R-O10: kill -9 of a worker or the control process; answers go on, nothing is answered truly."""
    before = server.pids()[name]
    said = len(server.log)
    os.kill(before, signal.SIGKILL)
    began = time.monotonic()
    assert server.addresses("chat.deepseek.com", timeout=1.5) == ["0.0.0.0"]
    assert time.monotonic() - began < 1
    server.wait_for(rf"process\.ready process={name}", 10, start=said)
    assert server.pids()[name] != before
    assert server.addresses("example.org") == [TRUE_ADDRESS]


def test_hits_survive_a_killed_control_process(server):
    """R-D02: what workers counted while the control process was away is stored once, when it is back."""
    for _ in range(20):
        server.ask("chat.deepseek.com")
    os.kill(server.pids()["control"], signal.SIGKILL)
    for _ in range(20):
        server.ask("chat.deepseek.com")
    deadline = time.monotonic() + 10
    while attempts(server) != 40 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert attempts(server) == 40


def test_children_go_with_a_killed_supervisor(tmp_path, upstream):
    """After kill -9 of the supervisor nothing holds the port, so that the next one can start."""
    server = Server(tmp_path / "data", upstream=upstream.port)
    server.start()
    children = server.pids().values()
    server.process.kill()
    server.process.wait()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    with running(tmp_path / "data", "--listen", f"{HOST}:{server.port}", upstream=upstream.port) as again:
        assert again.addresses("chat.deepseek.com") == ["0.0.0.0"]


def test_two_workers_both_answer(tmp_path, upstream):
    with running(tmp_path / "data", "--workers", "2", upstream=upstream.port) as server:
        for _ in range(20):
            assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
        assert {"worker-0", "worker-1", "control"} <= set(server.pids())


def test_both_families(tmp_path, upstream):
    """R-T01: IPv4 and IPv6, UDP and TCP."""
    with running(tmp_path / "data", "--listen", f"{HOST}:0", "--listen", "[::1]:0", upstream=upstream.port) as server:
        found = server.wait_for(r"server\.ready listen=\S*?\[::1\]:(\d+)|server\.ready listen=\"[^\"]*\[::1\]:(\d+)")
        port = found[1] or found[2]
        done = subprocess.run(
            ["dig", "@::1", "-p", port, "chat.deepseek.com", "+short", "+tries=1"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == "0.0.0.0"


def test_version_and_help_need_no_data():
    assert "sinkhole" in sinkhole("--version").stdout
    assert "serve" in sinkhole("--help").stdout


def test_workers_share_what_was_there_before_them(tmp_path, upstream):
    """R-P04: a further worker costs its caches, not another interpreter."""
    with running(tmp_path / "data", "--workers", "2", upstream=upstream.port) as server:
        server.ask("chat.deepseek.com")
        for name in ("worker-0", "worker-1"):
            rollup = Path(f"/proc/{server.pids()[name]}/smaps_rollup").read_text()
            kib = {row.split(":")[0]: int(row.split()[1]) for row in rollup.splitlines()[1:]}
            assert kib["Private_Dirty"] < 25 * 1024, rollup
