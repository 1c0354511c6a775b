"""Interleaved rounds: each server in turn, so that a change of the machine's mood meets all alike."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import generator
from bench.call import Call
from bench.peers.peer import Running
from bench.proc import on_cpu_seconds
from bench.queries import Questions, Workload
from bench.results import Run
from bench.sampler import Sampler


def warm(servers: Sequence[Running], questions: Questions) -> None:
    """Let servers see all that is asked again and again, a few times."""
    for server in servers:
        generator.run(server.port, questions.warm(), 5, passes=10)


def measure(
    call: Call,
    servers: Sequence[Running],
    workloads: Sequence[Workload],
    questions: Questions,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Run workloads on all servers, round by round; keep and print each run.

    Args:
        call: gives the length of runs and how many.
        servers: each in turn, in the other order every second round.
        workloads: one after the other.
        questions: to ask.
        counts: questions of a run by workload, which is over after them; None: as many as fit into its seconds.
    """
    for workload in workloads:
        for number in range(1, call.rounds + 1):
            asked = questions.of(workload, counts[workload.name] if counts else None)
            passes = 1 if counts or workload.is_fresh else None
            for server in servers if number % 2 else servers[::-1]:
                found = _run(call, server, workload, asked, passes, questions, number)
                call.results.runs.append(found)
                _tell(found)


def _run(
    call: Call, server: Running, workload: Workload, asked: Path, passes: int | None, questions: Questions, number: int
) -> Run:
    before = on_cpu_seconds(server.pid)
    with Sampler(server.port, lambda: questions.sample(workload), is_idle=server.peer.is_limit) as sampler:
        if workload.transport == "tcp":
            load, _ = generator.dnsperf(server.port, asked, call.seconds, "-m", "tcp")
        else:
            load = generator.run(server.port, asked, call.seconds, passes=passes)
    return Run(
        call.session.ident, number, workload.name, server.peer.name, load.rate, load.lost, load.rcodes,
        None if server.peer.is_limit else sampler.sampled, sampler.wrong[:5],
        on_cpu_seconds(server.pid) - before,
    )  # fmt: skip


def _tell(run: Run) -> None:
    mark = "" if run.is_good else f"  NOT COUNTED: {run.faults()}"
    print(f"{run.workload:<12} {run.round} {run.server:<20} {run.rate / 1000:7.1f} kq/s{mark}", flush=True)
