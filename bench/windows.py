"""`python -m bench.windows`: latency of a mixed load in many short windows, in turn, of servers that run side by side.

Where a host is busy, a pause of milliseconds is in many windows, in whichever server. Percentiles of the windows'
percentiles tell servers apart all the same: those that were disturbed least say what the server takes. With `--beside`
another installation of Sinkhole is measured in the same windows: what a change is worth.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench import machine, servers
from bench.call import start_authority
from bench.peers.peer import Peer, present, running
from bench.peers.registry import PEERS
from bench.peers.sinkhole import Sinkhole
from bench.queries import Questions, blocked_names
from bench.rounds import warm
from bench.speed import Window, moderate

NAMES = 200_000
_SHARES = (0.1, 0.25, 0.5)
"""Of the windows, from the least disturbed on."""


def share(values: Sequence[float], part: float) -> float:
    """Return the value that a part of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def table(found: dict[str, list[Window]]) -> str:
    """Return the table; ratios are to the last server."""
    *_, last = found
    base = [share([window.p99_ms for window in found[last]], part) for part in _SHARES]
    heads = " | ".join(f"p99, {part:.0%} of windows" for part in _SHARES)
    lines = [f"| | {heads} | times {last}'s | p50 | of a core |", f"|---|{'---:|' * (len(_SHARES) + 3)}"]
    for name, windows in found.items():
        p99 = [share([window.p99_ms for window in windows], part) for part in _SHARES]
        ratios = " · ".join(f"{mine / theirs:.2f}" for mine, theirs in zip(p99, base, strict=True))
        p50, busy = (share([getattr(w, field) for w in windows], 0.5) for field in ("p50_ms", "busy"))
        cells = " | ".join(f"{value:.3f}" for value in p99)
        lines.append(f"| {name} | {cells} | {ratios} | {p50:.3f} | {busy:.1%} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.windows", description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "--peers", default="sinkhole,unbound", help="names as of `python -m bench`; ratios are to the last"
    )
    parser.add_argument("--beside", metavar="PYTHON", help="of another installation of Sinkhole, measured as `beside`")
    parser.add_argument("--windows", type=int, default=110, help="of each server (110)")
    parser.add_argument("--seconds", type=float, default=0.4, help="length of a window (0.4)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.peers.split(",") if name not in PEERS]
    if unknown or options.windows < 1 or not 0.1 <= options.seconds <= 10:
        parser.error(f"no such peer: {', '.join(unknown)}" if unknown else "windows from 1, seconds from 0.1 to 10")
    machine.require_two_cores()
    peers = present(PEERS[name] for name in options.peers.split(","))
    if options.beside:
        there = Sinkhole(base=("env", "PYTHONSAFEPATH=1", options.beside, "-m", "sinkhole"))
        peers.insert(0, replace(PEERS["sinkhole"], name="beside", command=there))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended
    os.sched_setaffinity(0, {int(servers.LOAD_CORE)})
    with tempfile.TemporaryDirectory(prefix="sinkhole-bench-") as scratch, ExitStack() as stack:
        print(table(_measure(Path(scratch), stack, peers, options.windows, options.seconds)))
    return 0


def _measure(
    folder: Path, stack: ExitStack, peers: Sequence[Peer], windows: int, seconds: float
) -> dict[str, list[Window]]:
    upstream = start_authority(folder, stack)
    blocked = blocked_names(NAMES)
    run = [stack.enter_context(running(peer, folder / peer.name, blocked, upstream)) for peer in peers]
    questions = Questions(folder, blocked, 1)
    warm(run, questions)
    found: dict[str, list[Window]] = {server.peer.name: [] for server in run}
    for number, name, window in moderate(run, questions, windows + 1, seconds):
        if number > 1:  # the first is for warming up
            found[name].append(window)
    if not all(found.values()):
        raise SystemExit("a server answered rightly in no window")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
