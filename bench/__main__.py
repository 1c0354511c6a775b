"""`python -m bench`: Sinkhole beside Unbound, one core each in turn, dnsperf on the other; medians and their ratio."""

import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import servers

WORKLOADS = ("blocked", "blocked-all-different", "cached", "mixed")


def write_queries(folder: Path, names: list[str], seed: int = 1) -> dict[str, Path]:
    """Write one dnsperf input a workload."""
    rng = random.Random(seed)
    allowed = [f"host{n}.allowed.example" for n in range(1000)]
    popular = rng.sample(names, min(1000, len(names)))
    lines = {
        "blocked": [rng.choice(popular) for _ in range(20_000)],
        "blocked-all-different": [f"x{n}.{rng.choice(names)}" for n in range(400_000)],
        "cached": [rng.choice(allowed) for _ in range(20_000)],
        "mixed": [rng.choice(popular) if rng.random() < 0.32 else rng.choice(allowed) for _ in range(40_000)],
    }
    paths = {}
    for workload, rows in lines.items():
        paths[workload] = folder / f"{workload}.txt"
        paths[workload].write_text("".join(f"{row} A\n" for row in rows))
    return paths


def load(port: int, queries: Path, seconds: int) -> tuple[float, float]:
    """Run dnsperf; return queries a second and the share of queries lost."""
    command = ["taskset", "-c", servers.LOAD_CORE, "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(queries),
               "-l", str(seconds), "-c", "8", "-q", "200"]  # fmt: skip
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    rate = float(re.search(r"Queries per second:\s+([\d.]+)", text)[1])  # type: ignore[index]
    lost = float(re.search(r"Queries lost:\s+\d+ \(([\d.]+)%\)", text)[1])  # type: ignore[index]
    return rate, lost / 100


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=200_000, help="blocked names")
    parser.add_argument("--seconds", type=int, default=4, help="length of one run")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs of each server and workload")
    options = parser.parse_args()
    names = [f"name{n}.blocked{n % 977}.example" for n in range(options.names)]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        queries = write_queries(folder, names)
        upstream = servers.free_port()
        authority = [sys.executable, "-m", "bench.authority", str(upstream)]
        stack.enter_context(servers.process(authority, servers.LOAD_CORE, folder / "authority.log"))
        ports = {
            "unbound": stack.enter_context(servers.unbound(folder, names, upstream)),
            "sinkhole": stack.enter_context(servers.sinkhole(folder, names, upstream)),
        }
        for port in ports.values():
            servers.wait_for_answer(port, names[0], "0.0.0.0")
            servers.wait_for_answer(port, "host1.allowed.example", "192.0.2.1")
        print("| workload | unbound kq/s (min-max) | sinkhole kq/s (min-max) | ratio | lost |")
        print("|---|---:|---:|---:|---:|")
        for workload in WORKLOADS:
            report(workload, ports, queries[workload], options)


def report(workload: str, ports: dict[str, int], queries: Path, options: argparse.Namespace) -> None:
    """Run one workload interleaved and print its row."""
    rates: dict[str, list[float]] = {name: [] for name in ports}
    worst = 0.0
    for round_number in range(options.rounds + 1):
        for name, port in ports.items():
            rate, lost = load(port, queries, options.seconds)
            if round_number:  # the first round warms the caches
                rates[name].append(rate / 1000)
                worst = max(worst, lost)
    cells = [f"{statistics.median(r):.0f} ({min(r):.0f}-{max(r):.0f})" for r in rates.values()]
    ratio = statistics.median(rates["sinkhole"]) / statistics.median(rates["unbound"])
    print(f"| {workload} | {cells[0]} | {cells[1]} | {ratio:.2f} | {worst:.2%} |", flush=True)


if __name__ == "__main__":
    main()
