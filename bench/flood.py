"""`python -m bench.flood`: what an innocent client feels while another floods with random subdomains.

The innocent asks 500 queries a second from 127.0.0.1: blocked, cached and missed names in turn. The other sends 50,000
a second from 127.0.0.66, below a blocked domain or below one that is forwarded. The server with all its processes has
one core, everything else the other. Loopback only.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import servers, steady

FLOODER = "127.0.0.66"
FLOODS = {"blocked names": "deepseek.com", "other names": "flooded.example"}
LIMITS = {"100 q/s a client (the default)": 100, "no limit": 0}
_POPULAR = 200
_SETTLE = 3.0
"""Seconds for the last hits to be stored before memory is looked at."""

Draw = Callable[[random.Random], tuple[str, bytes]]
KINDS: dict[str, Draw] = {
    "blocked": lambda chance: (f"h{chance.randrange(_POPULAR)}.mistral.ai", steady.SINKHOLE),
    "cached": lambda chance: (f"host{chance.randrange(_POPULAR)}.allowed.example", steady.TRUE),
    "missed": steady.fresh,
}
"""What the innocent asks for, and the address that is right for it."""


@contextmanager
def sinkhole(folder: Path, upstream: int, rate: int) -> Iterator[tuple[int, Path]]:
    """Run Sinkhole with a rate limit for all but the innocent; give its port and its log."""
    port = servers.free_port()
    log = folder / "sinkhole.log"
    (folder / "sinkhole.toml").write_text(
        f'feeds.sync = false\n[access]\nrate = {rate}\nrate_exempt = ["127.0.0.1"]\n[server]\n'
        f'listen = ["127.0.0.1:{port}"]\n[upstream]\nservers = ["udp://127.0.0.1:{upstream}"]\n'
    )
    command = [*servers.INSTALLED, "serve", "--data-dir", str(folder / "data")]
    with servers.process([*command, "--config", str(folder / "sinkhole.toml")], servers.SERVER_CORE, log):
        servers.wait_for_answer(port, "h1.mistral.ai", "0.0.0.0")
        servers.wait_for_answer(port, "host1.allowed.example", "192.0.2.1")
        yield port, log


def ask(port: int, rate: int, seconds: float, seed: int) -> dict[str, steady.Tally]:
    """Be the innocent for so long; return what became of each kind of question."""
    clients = [steady.Client(port, draw, seed + number) for number, draw in enumerate(KINDS.values())]
    began, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        while sent < passed * rate:
            clients[sent % len(clients)].send()
            sent += 1
        for client in clients:
            client.receive()
        time.sleep(0.0005)
    for client in clients:
        client.finish()
    return {kind: client.tally for kind, client in zip(KINDS, clients, strict=True)}


def memory_mib(log: Path) -> dict[str, float]:
    """Return the resident memory of worker and control process."""
    pids = dict(re.findall(r"process\.ready process=(\S+) pid=(\d+)", log.read_text()))
    found = {}
    for name in ("worker-0", "control"):
        status = Path(f"/proc/{pids[name]}/status").read_text()
        found[name] = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
    return found


def kernel_drops(port: int) -> int:
    """Return how many datagrams the kernel has dropped before the server's sockets."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[-1]) for row in rows if row[1].endswith(f":{port:04X}"))


def run(limit: str, flood: str, options: argparse.Namespace, upstream: int) -> None:
    """Start a server, flood it once and print the rows."""
    with tempfile.TemporaryDirectory() as scratch, sinkhole(Path(scratch), upstream, LIMITS[limit]) as (port, log):
        ask(port, 500, 2.0, seed=0)  # fill the caches
        before = ask(port, options.rate, options.seconds, seed=10)
        memory, drops = memory_mib(log), kernel_drops(port)
        command = [sys.executable, "-m", "bench.flooder", str(port), str(options.flood), str(options.seconds + 1)]
        pinned = ["taskset", "-c", servers.LOAD_CORE, *command, FLOODER, FLOODS[flood]]
        with subprocess.Popen(pinned, stdout=subprocess.PIPE, text=True, env=servers.environment()) as flooder:
            time.sleep(0.5)
            during = ask(port, options.rate, options.seconds, seed=20)
            sent = int(flooder.communicate(timeout=30)[0])
        dropped = kernel_drops(port) - drops
        time.sleep(_SETTLE)
        after = memory_mib(log)
    grown = ", ".join(f"{name} {memory[name]:.0f} -> {after[name]:.0f} MiB" for name in memory)
    each = sent / (options.seconds + 1)
    print(f"\n{limit}; {flood}: {each:,.0f} q/s sent, {dropped / sent:.1%} of them dropped by the kernel; {grown}\n")
    print("| innocent's | p50 before | p99 before | p50 during | p99 during | lost before | lost during | wrong |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for kind, (quiet, loud) in {kind: (before[kind], during[kind]) for kind in KINDS}.items():
        times = [f"{tally.percentile_ms(share):.2f} ms" for tally in (quiet, loud) for share in (0.5, 0.99)]
        lost = [f"{tally.lost / tally.sent:.1%}" for tally in (quiet, loud)]
        print(f"| {kind} | {' | '.join(times)} | {' | '.join(lost)} | {quiet.wrong + loud.wrong} |", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="queries a second of the innocent")
    parser.add_argument("--flood", type=int, default=50_000, help="queries a second of the other")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each measurement")
    parser.add_argument("--limit", choices=LIMITS, action="append", help="only this rate limit")
    parser.add_argument("--names", choices=FLOODS, action="append", help="only this flood")
    options = parser.parse_args()
    upstream = servers.free_port()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        authority = [sys.executable, "-m", "bench.authority", str(upstream)]
        stack.enter_context(servers.process(authority, servers.LOAD_CORE, Path(scratch) / "authority.log"))
        for limit in options.limit or LIMITS:
            for flood in options.names or FLOODS:
                run(limit, flood, options, upstream)


if __name__ == "__main__":
    main()
