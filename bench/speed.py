"""Throughput of all peers, by workload; and what clients wait at a moderate rate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench import native, servers
from bench.arrivals import arrivals
from bench.call import Call
from bench.peers.peer import Running
from bench.proc import on_cpu_seconds
from bench.queries import WORKLOADS, Questions, Workload
from bench.rounds import measure, warm

MODERATE = 5000
"""Questions a second at which latency is measured."""
LATENCY = "latency"


def speed(call: Call, wanted: Sequence[str]) -> None:
    """Start all peers, and measure what was asked for."""
    workloads = [WORKLOADS[name] for name in wanted if name in WORKLOADS]
    if any(workload.transport == "tcp" for workload in workloads):
        _authority_over_tcp(call)
    running = call.start(call.peers)
    questions = call.questions()
    checked = [server for server in running if not server.peer.is_limit]
    warm(checked, questions)
    for workload in workloads:
        measure(call, _fit(running, workload), [workload], questions)
    if LATENCY in wanted:
        latency(call, checked, questions)


def _fit(running: list[Running], workload: Workload) -> list[Running]:
    """Leave out, over TCP, what only reflects datagrams."""
    return [server for server in running if workload.transport == "udp" or not server.peer.is_limit]


def _authority_over_tcp(call: Call) -> None:
    command = [servers.PYTHON, "-m", "bench.authority", str(call.upstream), "tcp"]
    log = call.folder / "authority-tcp.log"
    call.stack.enter_context(servers.process(command, servers.LOAD_CORE, log))


def latency(call: Call, running: list[Running], questions: Questions) -> None:
    """Ask the mixed workload at 5,000 questions a second; keep median and 99th percentile of each round.

    By the kernel's stamps: dnsperf 2.14 stands still for milliseconds now and then, whoever answers.
    """
    if native.compiled("arrivals") is None:
        print("latency: not measured: needs a C compiler (Debian packages gcc, libc6-dev)", flush=True)
        return
    for _, name, window in moderate(running, questions, call.rounds, call.seconds):
        for what, value in (("p50", window.p50_ms), ("p99", window.p99_ms)):
            call.add(f"latency {what}", f"{MODERATE} q/s", name, value, "ms")


@dataclass(frozen=True, slots=True)
class Window:
    """What a server did for a while at a moderate rate: milliseconds, and the share of a core it was busy."""

    p50_ms: float
    p99_ms: float
    busy: float


def moderate(
    running: Sequence[Running], questions: Questions, rounds: int, seconds: float
) -> Iterator[tuple[int, str, Window]]:
    """Ask the mixed workload at 5,000 questions a second, each server in turn; yield round, server, and what it did.

    Where it lost or refused some, that is told instead.
    """
    mixed = replace(WORKLOADS["mixed"], name=LATENCY)
    for number in range(1, rounds + 1):
        asked = questions.of(mixed, int(MODERATE * (seconds + 1)))  # a few more than are asked
        for server in running if number % 2 else running[::-1]:
            before = on_cpu_seconds(server.pid)
            took = arrivals(server.port, MODERATE, seconds, asked)
            busy = (on_cpu_seconds(server.pid) - before) / seconds
            if took.lost > 0.01 * took.answered or took.refused:
                print(f"{server.peer.name}: NOT COUNTED: {took}", flush=True)
            else:
                yield number, server.peer.name, Window(took.p50_ms, took.p99_ms, busy)
