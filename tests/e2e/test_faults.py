"""What else goes wrong under a running server: broken files, no upstream, no descriptors, processes that hang."""

import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bench.servers import free_port
from tests.e2e.conftest import NAMES, TRUE_ADDRESS, UpstreamThread
from tests.e2e.load import Load
from tests.e2e.memory import control_pid, descriptors
from tests.e2e.running import HOST, Server, rcode_of
from tests.e2e.stored import wait_until
from tests.fakes import FakeUpstream, answers

CONFIG = "feeds.sync = false\n"
POLICY = "policy.json"


@pytest.fixture
def config(tmp_path) -> Path:
    """A configuration without syncs."""
    path = tmp_path / "sinkhole.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory) -> Path:
    """The data folder of a server that has run and ended, with mistral allowed."""
    folder = tmp_path_factory.mktemp("left")
    config = folder / "sinkhole.toml"
    config.write_text(CONFIG)
    found = Server(folder / "data", "--config", config, upstream=f"{HOST}:{free_port()}")
    found.start()
    found.wait_for(r"policy\.swapped")
    found.cli("policy", "allow", "vendor:mistral")
    assert found.stop() == 0
    return found.data_dir


@pytest.fixture
def data_dir(tmp_path, left_behind) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(left_behind, tmp_path / "data", ignore=shutil.ignore_patterns("control.sock")))


@pytest.fixture
def server(data_dir, config, upstream) -> Iterator[Server]:
    """A server on that folder."""
    found = Server(data_dir, "--config", config, upstream=upstream.port)
    found.start()
    yield found
    assert found.stop() == 0


def spoil(compiled: Path, how: str) -> None:
    """Damage the compiled policy in one of the ways that disks and people do."""
    image = max(compiled.glob("names-*.img"), key=lambda path: path.stat().st_mtime)
    match how:
        case "document is garbage":
            (compiled / POLICY).write_bytes(b"\x00garbage\xff" * 100)
        case "document is empty":
            (compiled / POLICY).write_bytes(b"")
        case "document and the one before are garbage":
            (compiled / POLICY).write_bytes(b"{}")
            (compiled / "policy.previous.json").write_bytes(b"[]")
        case "names are cut short":
            os.truncate(image, image.stat().st_size // 2)
        case "names are other octets":
            size = image.stat().st_size
            with image.open("r+b") as file:
                file.seek(size // 8)
                file.write(os.urandom(size // 2))
        case "names are gone":
            image.unlink()


@pytest.mark.parametrize(
    "how",
    [
        "document is garbage",
        "document is empty",
        "document and the one before are garbage",
        "names are cut short",
        "names are other octets",
        "names are gone",
    ],
)
def test_damaged_policy_at_the_start(data_dir, config, upstream, how):
    """R-O06, R-F10: the catalogue is blocked from the first answer on, and soon what the store says is in force."""
    spoil(data_dir / "compiled", how)
    again = Server(data_dir, "--config", config, upstream=upstream.port)
    again.start()
    try:
        assert again.addresses("chat.deepseek.com") == ["0.0.0.0"]
        assert again.addresses("example.org") == [TRUE_ADDRESS]
        assert "ERROR policy.broken" in again.log
        assert wait_until(lambda: again.addresses("api.mistral.ai") == [TRUE_ADDRESS])
        assert again.addresses("chat.deepseek.com") == ["0.0.0.0"]
        assert "Traceback" not in again.log
    finally:
        again.stop()


def test_policy_damaged_while_it_is_served(server):
    """R-D02: a worker that starts again must not fail over a file that broke meanwhile."""
    server.cli("policy", "monitor", "vendor:xai")  # the control process has published, and would mend nothing now
    said = len(server.log)
    (server.data_dir / "compiled" / POLICY).write_bytes(b"garbage")
    server.wait_for(r"policy\.refused", start=said)
    assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
    os.kill(server.pids()["worker-0"], signal.SIGKILL)
    server.wait_for(r"process\.ready process=worker-0", 15, start=said)
    assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
    assert wait_until(lambda: server.addresses("api.mistral.ai") == [TRUE_ADDRESS])


def test_control_process_killed_again_and_again(server):
    """R-D02: also while it starts; answers go on, and it comes back when it is let live."""
    with Load(server.port, rate=100) as load:
        killed = set()
        deadline = time.monotonic() + 15
        while len(killed) < 8 and time.monotonic() < deadline:
            pid = control_pid(server)
            if pid is not None and pid not in killed:
                killed.add(pid)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        said = len(server.log)
    assert len(killed) >= 6
    assert load.wrong() == load.lost() == []
    assert load.longest_wait() < 1.0
    server.wait_for(r"process\.ready process=control", 15, start=said)
    server.cli("policy", "allow", "vendor:openai")
    assert server.addresses("api.openai.com") == [TRUE_ADDRESS]


def test_twenty_reloads_lose_no_query(server, config):
    """R-O01: 200 queries a second, each sent once; every second reload changes the configuration."""
    with Load(server.port, rate=200, threads=8, retry=False) as load:
        for number in range(20):
            time.sleep(0.2)
            said = len(server.log)
            if number % 2:
                config.write_text(
                    f"{CONFIG}cache.entries = {10_000 + number}\nserver.workers = {1 + number // 2 % 2}\n"
                )
            server.process.send_signal(signal.SIGHUP)
            server.wait_for(r"config\.reloaded", start=said)
            if number % 2:
                server.wait_for(r"process\.ready process=worker-0", start=said)
    assert load.lost() == load.wrong() == []
    print(f"{len(load.asked)} queries, longest wait {load.longest_wait():.3f} s")


def test_start_without_an_upstream(tmp_path, config):
    """R-O06, R-C12: blocking needs no network; what has to be asked fails in time, and works when there is someone."""
    port = free_port()
    server = Server(tmp_path / "data", "--config", config, upstream=port)
    server.start()
    try:
        assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
        began = time.monotonic()
        assert rcode_of(server.ask("example.org", timeout=10)) == "SERVFAIL"
        assert time.monotonic() - began < 6
        with UpstreamThread(FakeUpstream(answers(NAMES), port=port)):
            assert wait_until(lambda: server.addresses("example.org", timeout=10) == [TRUE_ADDRESS], 20)
    finally:
        assert server.stop() == 0


def test_few_descriptors(tmp_path, config, upstream):
    """R-O09, R-P04: with 64 descriptors connections are shed, datagrams answered; after the flood all is as before."""
    few = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
    server = Server(tmp_path / "data", "--config", config, upstream=upstream.port, prefix=few)
    server.start()
    try:
        assert server.addresses("example.org", tcp=True) == [TRUE_ADDRESS]
        before = descriptors(server.pids()["worker-0"])
        connections = []
        with Load(server.port, rate=200) as load:
            for _ in range(200):
                sock = socket.socket()
                sock.settimeout(0.5)
                connections.append(sock)
                with suppress(OSError):
                    sock.connect((HOST, server.port))
            time.sleep(1.5)
        for sock in connections:
            sock.close()
        assert load.lost() == load.wrong() == []
        assert load.longest_wait() < 1.0
        assert wait_until(lambda: descriptors(server.pids()["worker-0"]) <= before + 2)
        assert server.addresses("example.org", tcp=True) == [TRUE_ADDRESS]
        os.kill(server.pids()["worker-0"], signal.SIGKILL)
        assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
        assert "Traceback" not in server.log
    finally:
        assert server.stop() == 0


@pytest.mark.slow
def test_hung_worker_is_replaced_and_the_other_answers_meanwhile(tmp_path, config, upstream):
    """R-O10: a worker that stands still for 15 s is killed; clients that retry reach the other one before."""
    server = Server(tmp_path / "data", "--config", config, "--workers", "2", upstream=upstream.port)
    server.start()
    try:
        said = len(server.log)
        with Load(server.port, rate=50) as load:
            time.sleep(1)
            stopped = time.monotonic()
            os.kill(server.pids()["worker-0"], signal.SIGSTOP)
            server.wait_for(r"process\.hung process=worker-0", 25, start=said)
            server.wait_for(r"process\.ready process=worker-0", 5, start=said)
            took = time.monotonic() - stopped
        print(f"replaced after {took:.1f} s; longest wait {load.longest_wait():.2f} s")
        assert took < 20
        assert load.lost() == load.wrong() == []
    finally:
        assert server.stop() == 0


@pytest.mark.slow
def test_hung_control_process_is_replaced(server):
    """R-O10: it is given longer; nobody waits for it."""
    said = len(server.log)
    pid = control_pid(server)
    os.kill(pid, signal.SIGSTOP)
    server.wait_for(r"process\.hung process=control", 80, start=said)
    server.wait_for(r"process\.ready process=control", 10, start=said)
    assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
