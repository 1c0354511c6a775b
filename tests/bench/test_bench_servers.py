"""The small servers of the benchmark, and who looks at answers, asked by a stranger."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dns.message
import dns.query
import pytest

from bench import generator, native, proc, servers
from bench.peers.peer import Peer, running
from bench.peers.zone import write_zone
from bench.sampler import Sampler

PYTHON_AUTHORITY = [sys.executable, "-m", "bench.authority"]
AUTHORITIES = {"python": lambda port: [*PYTHON_AUTHORITY, str(port)], "c": lambda port: in_c(port, "answer")}
REFLECTORS = {
    "python": lambda port: [sys.executable, "-m", "bench.reflector", str(port)],
    "c": lambda port: in_c(port, "reflect"),
}


def in_c(port, duty):
    """Return the command of the compiled server."""
    if (program := native.compiled("reflector")) is None:
        pytest.skip("needs a C compiler and the headers of the C library (Debian packages gcc, libc6-dev)")
    return [str(program), str(port), duty]


@pytest.fixture(scope="module", params=AUTHORITIES)
def authority(request, tmp_path_factory):
    port = servers.free_port()
    with servers.unpinned(AUTHORITIES[request.param](port), tmp_path_factory.mktemp("authority") / "log"):
        servers.wait_for_answer(port, "any.example", "192.0.2.1")
        yield port


def test_authority_answers_addresses_in_the_case_of_the_question(authority):
    query = dns.message.make_query("HoSt.ExAmple", "A", use_edns=True)
    reply = dns.query.udp(query, servers.HOST, port=authority, timeout=2)
    assert reply.answer[0].ttl == 3600
    assert reply.question[0].name.to_text() == "HoSt.ExAmple."


def test_authority_has_nothing_of_other_types(authority):
    reply = dns.query.udp(dns.message.make_query("host.example", "AAAA"), servers.HOST, port=authority, timeout=2)
    assert not reply.answer


def test_authority_in_c_survives_what_is_no_question(tmp_path):
    port = servers.free_port()
    with servers.unpinned(in_c(port, "answer"), tmp_path / "log"):
        servers.wait_for_answer(port, "any.example", "192.0.2.1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((servers.HOST, port))
            sock.settimeout(0.05)
            for wire in (
                b"",
                b"x",
                bytes(11),
                bytes(12),
                bytes(12) + b"\xff",
                bytes(12) + b"\x3f" * 2036,
                b"\xff" * 2048,
            ):
                sock.send(wire)
            with pytest.raises(TimeoutError):
                sock.recv(4096)
        assert servers.ask(port, "any.example") == "192.0.2.1"


def test_load_counts_answers_by_code_and_what_is_lost(authority, tmp_path):
    (tmp_path / "q.txt").write_text("one.example A\ntwo.example A\n")
    in_c(authority, "")
    found = generator.run(authority, tmp_path / "q.txt", 5, passes=500)
    assert (found.answered, found.rcodes, found.lost) == (1000, {"NOERROR": 1000}, 0.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((servers.HOST, 0))
        found = generator.run(silent.getsockname()[1], tmp_path / "q.txt", 0.1, passes=1)
    assert (found.answered, found.lost, found.rate) == (0, 1.0, 0.0)


@pytest.mark.parametrize("text", ["", "..\n", f"{'x' * 64}.example A\n"])
def test_load_refuses_what_is_no_name(text, tmp_path):
    (tmp_path / "q.txt").write_text(text)
    in_c(0, "")
    with pytest.raises(SystemExit, match=r"q\.txt: (no questions|line 1 is no name)"):
        generator.run(1, tmp_path / "q.txt", 1)


def test_authority_over_tcp(tmp_path):
    port = servers.free_port()
    with servers.unpinned([*PYTHON_AUTHORITY, str(port), "tcp"], tmp_path / "log"):
        deadline = time.monotonic() + 5
        while True:
            try:
                query = dns.message.make_query("any.example", "A")
                reply = dns.query.tcp(query, servers.HOST, port=port, timeout=2)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
    assert str(reply.answer[0][0]) == "192.0.2.1"


@pytest.mark.parametrize("kind", REFLECTORS)
def test_reflector_sends_the_question_back_as_a_response(kind, tmp_path):
    port = servers.free_port()
    with servers.unpinned(REFLECTORS[kind](port), tmp_path / "log"):
        deadline = time.monotonic() + 5
        while (said := servers.ask(port, "any.example", timeout=0.1)) == servers.NO_REPLY:
            assert time.monotonic() < deadline
        assert said == "NOERROR"


def test_without_a_compiler_the_python_authority_is_used(monkeypatch):
    monkeypatch.setenv("PATH", "")
    native.compiled.cache_clear()
    try:
        assert native.authority(5300) == [*PYTHON_AUTHORITY, "5300"]
    finally:
        native.compiled.cache_clear()


def test_sampler_tells_wrong_answers(authority):
    draws = iter([("good.example", "192.0.2.1"), ("bad.example", "0.0.0.0")] * 50)
    with Sampler(authority, lambda: next(draws)) as sampler:
        deadline = time.monotonic() + 5
        while not sampler.wrong:
            assert time.monotonic() < deadline
    assert sampler.sampled >= 2
    assert sampler.wrong[0] == "bad.example: wanted 0.0.0.0, found 192.0.2.1"


def test_server_that_answers_wrongly_is_not_measured(tmp_path):
    wrong = Peer("wrong", None, "", lambda setting: [*PYTHON_AUTHORITY, str(setting.port)])
    said = r"wrong: port \d+: b\.example: wanted 0\.0\.0\.0, found 192\.0\.2\.1"
    started = running(wrong, tmp_path / "wrong", ["a.example", "b.example"], 1, patience=1.0)
    with pytest.raises(SystemExit, match=said), started:
        pass


def test_server_that_ends_is_not_waited_for(tmp_path):
    ending = Peer("ending", None, "", lambda _setting: [sys.executable, "-c", "raise SystemExit('no such option')"])
    with (
        pytest.raises(SystemExit, match="ending: ended with status 1\nno such option"),
        running(ending, tmp_path / "x", ["a"], 1),
    ):
        pass


def test_process_is_ended_after_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), servers.unpinned(["sleep", "60"], tmp_path / "log") as child:
        raise KeyboardInterrupt
    assert child.poll() is not None


def test_policy_zone_blocks_names_and_all_below(tmp_path):
    path = write_zone(tmp_path / "rpz.zone", ["a.example"])
    assert "a.example A 0.0.0.0\n*.a.example A 0.0.0.0\n" in path.read_text()


def test_missing_peer_is_skipped_by_name(tmp_path):
    command = [sys.executable, "-c", "from bench.peers.peer import Peer, present;"
               "print(present([Peer('none', 'no-such-program', 'no-package', list)]))"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "none: skipped, no-such-program is not installed (Debian package no-package)\n[]\n"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_benchmark_ends_all_that_it_started(number, status, tmp_path):
    in_c(0, "")
    words = ["--peers", "reflector-python", "--workloads", "blocked", "--names", "100", "--seconds", "60"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    bench = subprocess.Popen([sys.executable, "-m", "bench", *words], stdout=subprocess.PIPE, env=environment)
    deadline = time.monotonic() + 30
    while "load" not in (started := {pid: name_of(pid) for pid in proc.tree(bench.pid)}).values():
        assert time.monotonic() < deadline, started
        time.sleep(0.02)
    bench.send_signal(number)
    bench.communicate(timeout=20)
    assert bench.returncode == status
    assert len(started) >= 4  # itself, the authority, the reflector, the load
    deadline = time.monotonic() + 10  # whose parent was killed is reaped by another, a moment later
    while left := [pid for pid, name in started.items() if name_of(pid) == name]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)
    assert not list(tmp_path.iterdir())


def test_processor_time_of_a_tree_is_seen():
    busy = [
        sys.executable,
        "-c",
        "import time\nwhile time.process_time() < 0.2: pass\nprint('done', flush=True); input()",
    ]
    child = subprocess.Popen(
        ["/bin/sh", "-c", '"$@"; true', "sh", *busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    assert 0.19 < proc.on_cpu_seconds(child.pid) < 5
    assert proc.pss_mib(child.pid) > 1
    child.communicate(b"\n")


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
