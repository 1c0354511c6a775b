"""Two workers against one.

With four cores the workers have two and the load generator two, and the rate tells. With fewer a second worker shares
the core of the generator, which then is what bounds the rate, so no target is held against it; what tells there are
answers for each second of processor time that workers took: as many with two as with one means that the second is worth
as much as the first.
"""

from bench import generator, servers
from bench.call import Call
from bench.machine import cores
from bench.peers.peer import Peer, Running
from bench.peers.sinkhole import Sinkhole, pids, pin
from bench.proc import cpu_seconds
from bench.queries import WORKLOADS
from bench.rounds import warm

RATE = "rate of workers"
RATE_BESIDE_LOAD = "rate of workers, the second on the core of the load"
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
    for name in ("blocked", "cached", "different"):
        for number in range(1, call.rounds + 1):
            asked = questions.of(WORKLOADS[name])
            for server in running if number % 2 else running[::-1]:
                before = sum(map(cpu_seconds, _workers(call, server)))
                load = generator.run(
                    server.port, asked, call.seconds, passes=1 if WORKLOADS[name].is_fresh else None,
                    clients=CLIENTS, cores="2,3" if is_wide else servers.LOAD_CORE,
                )  # fmt: skip
                took = sum(map(cpu_seconds, _workers(call, server))) - before
                call.add(RATE if is_wide else RATE_BESIDE_LOAD, name, server.peer.name, load.rate, "q/s")
                call.add("answers for a second of processor", name, server.peer.name, load.answered / took, "1/s")


def _workers(call: Call, server: Running) -> list[int]:
    """Return the pids of the workers of a server."""
    found = pids(call.folder / server.peer.name)
    return [pid for name, pid in sorted(found.items()) if name.startswith("worker")]
