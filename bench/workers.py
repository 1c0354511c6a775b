"""Two workers against one.

With four cores the workers have two and the load generator two, and the rate tells. With fewer a second worker shares
the core of the generator, which then is what bounds the rate, so no target is held against it. What tells there is the
rate where each worker may have but a quarter of its core: of the core that the second shares three quarters are left to
the generator, which is enough. Beside it stand answers for each second of processor time that workers took: as many
with two as with one means that the second is worth as much as the first.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import generator, servers
from bench.call import Call
from bench.machine import cores
from bench.peers.peer import Peer, Running
from bench.peers.sinkhole import Sinkhole, pids, pin
from bench.proc import on_cpu_seconds
from bench.queries import WORKLOADS, Workload
from bench.rounds import warm
from bench.shares import shared

RATE = "rate of workers"
RATE_BESIDE_LOAD = "rate of workers, the second on the core of the load"
RATE_OF_SHARES = "rate of workers, each with a quarter of a core"
PART = 0.25
_USED = 0.8
"""What workers must have used of their parts, or something else bounds the rate."""
CLIENTS = "64"
"""Sockets: the kernel shares them out among the workers by a hash of the addresses."""


def workers(call: Call) -> None:
    """Measure workloads with one worker and with two, interleaved."""
    running = call.start([Peer(f"workers-{n}", None, "", Sinkhole(workers=n)) for n in (1, 2)])
    is_wide = cores() >= 4
    for server in running:
        for number, pid in enumerate(_workers(call, server)):
            pin(pid, str(number))
    questions = call.questions()
    warm(running, questions)
    whats = (RATE,) if is_wide else (RATE_BESIDE_LOAD, RATE_OF_SHARES)
    for workload in (WORKLOADS[name] for name in ("blocked", "cached", "different")):
        for number in range(1, call.rounds + 1):
            asked = questions.of(workload)
            for what in whats:
                for server in running if number % 2 else running[::-1]:
                    _measure(call, server, workload, asked, what)


def _measure(call: Call, server: Running, workload: Workload, asked: Path, what: str) -> None:
    """Ask a server, and keep the rate and what it cost."""
    its = _workers(call, server)
    before = sum(map(on_cpu_seconds, its))
    with ExitStack() as stack:
        if what is RATE_OF_SHARES and not _bounded(stack, its):
            print(
                "workers with a quarter of a core each: not measured: needs root, and groups of processes", flush=True
            )
            return
        load = generator.run(
            server.port, asked, call.seconds, passes=1 if workload.is_fresh else None,
            clients=CLIENTS, cores="2,3" if what is RATE else servers.LOAD_CORE,
        )  # fmt: skip
    took = sum(map(on_cpu_seconds, its)) - before
    if what is RATE_OF_SHARES and took < _USED * PART * load.seconds * len(its):
        print(f"{server.peer.name}: NOT COUNTED: its workers had time left", flush=True)
        return
    call.add(what, workload.name, server.peer.name, load.rate, "q/s")
    if what is not RATE_OF_SHARES:
        call.add("answers for a second of processor", workload.name, server.peer.name, load.answered / took, "1/s")


def _bounded(stack: ExitStack, pids_of_workers: Sequence[int]) -> bool:
    return all(stack.enter_context(shared(pid, PART)) for pid in pids_of_workers)


def _workers(call: Call, server: Running) -> list[int]:
    """Return the pids of the workers of a server."""
    found = pids(call.folder / server.peer.name)
    return [pid for name, pid in sorted(found.items()) if name.startswith("worker")]
