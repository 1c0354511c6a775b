"""`python -m bench`: Sinkhole beside its peers, on loopback: one core for the server, the other for the load.

Each server has the same blocked names and the same authority; runs are interleaved; answers are checked before and
during each run. Peers that are not installed are skipped by name. Example:

    python -m bench --peers sinkhole,unbound --workloads blocked,miss --rounds 5 --json one.json
    python -m bench --from one.json two.json --write
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import machine, page, results, servers
from bench.call import Call, start_authority
from bench.encrypted import encrypted
from bench.growth import growth
from bench.loading import loading
from bench.peers.peer import present
from bench.peers.registry import PEERS
from bench.profiling import profile
from bench.queries import WORKLOADS
from bench.speed import LATENCY, speed
from bench.workers import workers

STUDIES: dict[str, Callable[[Call], None]] = {
    "load": loading,
    "workers": workers,
    "encrypted": encrypted,
    "growth": growth,
    "profile": profile,
}
"""What starts servers of its own, beside the workloads that all peers run."""
ALL = (*WORKLOADS, LATENCY, *STUDIES)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, or read what was measured; print it, and write what was asked for."""
    options = _options(arguments)
    if options.write:
        page.parts_around()
    found = results.read(options.earlier) if options.earlier else _measure(options)
    if options.json:
        found.write(options.json)
    print(page.tables(found))
    if options.write:
        page.write(found)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=form)
    parser.add_argument(
        "--peers", type=_among(tuple(PEERS)), default=tuple(PEERS), metavar="NAMES", help=", ".join(PEERS)
    )
    parser.add_argument("--workloads", type=_among(ALL), default=ALL, metavar="NAMES", help=", ".join(ALL))
    parser.add_argument("--names", type=_positive, default=200_000, metavar="N", help="blocked names (200000)")
    parser.add_argument("--seconds", type=_positive, default=2, metavar="N", help="length of a run (2)")
    parser.add_argument("--rounds", type=_positive, default=3, metavar="N", help="interleaved runs of each server (3)")
    parser.add_argument("--json", type=_new_file, metavar="FILE", help="write the raw results")
    parser.add_argument(
        "--from", dest="earlier", type=Path, nargs="+", metavar="FILE", help="measure nothing: read results"
    )
    parser.add_argument("--write", action="store_true", help="write the tables and the plot of docs/performance.md")
    return parser.parse_args(arguments)


def _among(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        found = tuple(filter(None, text.split(",")))
        if strangers := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"{strangers[0]!r} is none of {', '.join(known)}")
        if not found:
            raise argparse.ArgumentTypeError(f"wanted some of {', '.join(known)}")
        return tuple(name for name in known if name in found)

    return names


def _new_file(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir() or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: wanted a file in a folder that exists")
    return path


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"wanted a number from 1 to 10000000, found {text!r}")
    return int(text)


def _measure(options: argparse.Namespace) -> results.Results:
    machine.require_two_cores()
    if shutil.which("dnsperf") is None:
        raise SystemExit("dnsperf is not installed (Debian package dnsperf)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have had ignored
    os.sched_setaffinity(0, {int(servers.LOAD_CORE)})
    peers = present(PEERS[name] for name in options.peers)
    found = results.Results([machine.describe(peers, options.names, options.seconds)])
    with tempfile.TemporaryDirectory(prefix="sinkhole-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        upstream = start_authority(folder, stack)
        call = Call(
            folder,
            stack,
            tuple(peers),
            options.names,
            options.seconds,
            options.rounds,
            found.sessions[0],
            found,
            upstream,
        )
        if any(name not in STUDIES for name in options.workloads):
            with ExitStack() as inner:
                speed(call.within(inner), options.workloads)
        for name, study in STUDIES.items():
            if name in options.workloads:
                with ExitStack() as inner:
                    study(call.within(inner))
    return found


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
