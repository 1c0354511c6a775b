"""`python -m bench.ratios`: the short form for CI: Sinkhole's answers a second of processor time, divided by Unbound's.

Processor time, since rates tell the load of the machine: what else runs on it bounds both servers alike. What a system
call costs beside our own code differs by a third between makers of processors, so each maker has ratios of its own; on
one of which none are committed those of the others hold that are least.

Fails (status 1) if a workload's ratio fell by more than a fifth below the committed one, twice: the second time with
more rounds. `--write` commits those of this machine's maker instead; do so on a quiet machine.
"""

import argparse
import os
import signal
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench import machine, servers
from bench.call import Call, start_authority
from bench.compare import Comparison
from bench.native import compiled
from bench.peers.peer import Running
from bench.peers.registry import PEERS
from bench.queries import WORKLOADS, Questions
from bench.results import Results
from bench.rounds import measure, warm

COMMITTED = Path(__file__).parent.parent / "tests" / "bench" / "ratios.toml"
MAY_FALL = 0.2
ROUNDS = 3
MORE_ROUNDS = 7
COUNTS = {"blocked": 40_000, "different": 10_000, "cached": 40_000, "miss": 4_000, "mixed": 20_000}
"""Questions of one run: enough for a tenth of a second, few enough for half a minute of all."""
_OURS, _THEIRS = "sinkhole-interpreted", "unbound"
"""Interpreted, whatever is installed: that is what the committed ratios are of."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and judge or write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.ratios", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {COMMITTED.name} instead of judging by it")
    options = parser.parse_args(arguments)
    machine.require_two_cores()
    if compiled("load") is None:
        raise SystemExit("a C compiler is needed: dnsperf is too slow to tell the two apart")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.sched_setaffinity(0, {int(servers.LOAD_CORE)})
    with tempfile.TemporaryDirectory(prefix="sinkhole-bench-") as scratch, ExitStack() as stack:
        bench = Short(Path(scratch), stack)
        if options.write:
            known = read(COMMITTED) if COMMITTED.exists() else {}
            COMMITTED.write_text(to_toml(known | {machine.maker(): bench.ratios(tuple(COUNTS), MORE_ROUNDS)}))
            print(COMMITTED.read_text())
            return 0
        committed = of_maker(read(COMMITTED), machine.maker())
        fallen = judge(bench.ratios(tuple(COUNTS), ROUNDS), committed)
        if fallen:
            print(f"once more, with more rounds: {', '.join(fallen)}", flush=True)
            fallen = judge(bench.ratios(tuple(fallen), MORE_ROUNDS), committed)
    for workload, found in fallen.items():
        print(
            f"{workload}: {found:.3f} times {_THEIRS}'s answers a second of processor time, "
            f"committed is {committed[workload]:.3f}"
        )
    return int(bool(fallen))


class Short:
    """Both servers, with 20,000 names, warm.

    Args:
        folder: scratch.
        stack: ends them.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        peers = (PEERS[_OURS], PEERS[_THEIRS])
        session = machine.describe(peers, 20_000, 2)
        upstream = start_authority(folder, stack)
        self._call = Call(folder, stack, peers, 20_000, 2, ROUNDS, session, Results([session]), upstream)
        self._running: list[Running] = self._call.start(peers)
        self._questions: Questions = self._call.questions()
        warm(self._running, self._questions)

    def ratios(self, workloads: Sequence[str], rounds: int) -> dict[str, float]:
        """Measure workloads; return the median of each's ratios.

        Raises:
            SystemExit: a server gave wrong answers, or lost questions, in all rounds.
        """
        call = replace(self._call, rounds=rounds, results=Results())
        measure(call, self._running, [WORKLOADS[name] for name in workloads], self._questions, COUNTS)
        compared = Comparison(call.results)
        found = {name: compared.cpu_ratio(name, _OURS, _THEIRS) for name in workloads}
        for name, ratio in found.items():
            if ratio is None:
                raise SystemExit(f"{name}: no round in which both servers answered all, and rightly")
        return {name: ratio for name, ratio in found.items() if ratio is not None}


def judge(found: Mapping[str, float], committed: Mapping[str, float]) -> dict[str, float]:
    """Return the ratios that fell by more than a fifth."""
    return {name: ratio for name, ratio in found.items() if ratio < (1 - MAY_FALL) * committed[name]}


def read(path: Path) -> dict[str, dict[str, float]]:
    """Read committed ratios, by maker of the processor.

    Raises:
        SystemExit: not a number above 0 for each workload; the text names it.
    """
    try:
        found = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SystemExit(f"{path}: {error}") from error
    if not found:
        raise SystemExit(f"{path}: no ratios")
    for maker, ratios in found.items():
        for name in COUNTS:
            value = ratios.get(name) if isinstance(ratios, dict) else None
            if not isinstance(value, int | float) or not value > 0:
                raise SystemExit(f"{path}: {maker}: {name}: wanted a number above 0, found {value!r}")
    return {maker: {name: float(ratios[name]) for name in COUNTS} for maker, ratios in found.items()}


def of_maker(committed: Mapping[str, Mapping[str, float]], maker: str) -> dict[str, float]:
    """Return what holds on a processor."""
    known = committed.get(maker)
    return dict(known) if known else {name: min(ratios[name] for ratios in committed.values()) for name in COUNTS}


def to_toml(committed: Mapping[str, Mapping[str, float]]) -> str:
    """Return the file of committed ratios."""
    head = (
        "# Sinkhole's answers a second of processor time divided by Unbound's, by maker of the processor; made by\n"
        "# python -m bench.ratios --write\n"
    )
    tables = [
        f"\n[{maker}]\n" + "".join(f"{name} = {ratio:.3f}\n" for name, ratio in ratios.items())
        for maker, ratios in sorted(committed.items())
    ]
    return head + "".join(tables)


if __name__ == "__main__":
    sys.exit(main())
