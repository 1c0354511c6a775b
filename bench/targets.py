"""What the figures are held against, and how much machine a network needs by them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from bench.compare import Comparison
from bench.workers import RATE, RATE_OF_SHARES

OURS = ("sinkhole", "sinkhole-apart")
TARGETS = (
    ("blocked", "unbound", 1.2), ("blocked", "dnsdist", 1.2),
    ("different", "unbound", 1.0), ("different", "dnsdist", 1.0),
    ("cached", "unbound", 1.2), ("cached", "powerdns", 1.2),
    ("mixed", "unbound", 1.2), ("mixed", "dnsdist", 1.0),
    ("miss", "unbound", 2.0), ("miss", "dnsdist", 0.9),
    ("blocked", "unbound-log", 1.2), ("different", "unbound-log", 1.0), ("cached", "unbound-log", 1.2),
    ("mixed", "unbound-log", 1.2), ("miss", "unbound-log", 2.0),
)  # fmt: skip
"""At least so many times the rate of a peer in the same round."""
READY_S = 1.0
FURTHER_WORKER_MIB = 25.0
TWO_WORKERS = 1.8


@dataclass(frozen=True, slots=True)
class Held:
    """A target with what was measured; `is_met` with the control process on the worker's core and on the other."""

    what: str
    measured: tuple[str, ...]
    is_met: tuple[bool, ...]


def held(found: Comparison, heads: dict[str, str], latency_at: str, names: str) -> list[Held]:
    """Return the targets for which there are figures.

    Args:
        found: the figures.
        heads: words for workloads.
        latency_at: the case of the latency figures.
        names: the case of the load figures.
    """
    rows = [_ratio(found, heads[workload], workload, peer, least) for workload, peer, least in TARGETS]
    rows.append(_latency(found, latency_at))
    rows.append(_at_most(found, "ready", names, READY_S, "s"))
    rows.append(_at_most(found, "memory of a further worker", names, FURTHER_WORKER_MIB, "MiB"))
    rows += [_two_workers(found, heads[workload], workload) for workload in ("blocked", "cached", "different")]
    return [row for row in rows if row is not None]


def _ratio(found: Comparison, head: str, workload: str, peer: str, least: float) -> Held | None:
    ratios = [ratio for ours in OURS if (ratio := found.ratio(workload, ours, peer)) is not None]
    return _row(f"{head}: at least {least} times {peer}", ratios, lambda ratio: ratio >= least, "")


def _latency(found: Comparison, of: str) -> Held | None:
    theirs = found.figure("latency p99", of, "unbound")
    ours = [spread.median for name in OURS if (spread := found.figure("latency p99", of, name))]
    if theirs is None:
        return None
    what = f"p99 at {of}: no more than unbound's {theirs.median:.2f} ms"
    return _row(what, ours, lambda value: value <= theirs.median, "ms")


def _at_most(found: Comparison, what: str, of: str, most: float, unit: str) -> Held | None:
    spread = found.figure(what, of, "sinkhole")
    return _row(f"{what}, {of}: under {most:g} {unit}", [spread.median] if spread else [], lambda v: v < most, unit)


def _two_workers(found: Comparison, head: str, workload: str) -> Held | None:
    for what, how in ((RATE, ""), (RATE_OF_SHARES, " (each with a quarter of a core)")):
        one, two = (found.figure(what, workload, f"workers-{n}") for n in (1, 2))
        if one and two:
            told = f"two workers{how}, {head}: at least {TWO_WORKERS} times one"
            return _row(told, [two.median / one.median], lambda ratio: ratio >= TWO_WORKERS, "")
    return None


def _row(what: str, values: list[float], is_good: Callable[[float], bool], unit: str) -> Held | None:
    if not values:
        return None
    return Held(
        what, tuple(f"{value:.2f} {unit}".rstrip() for value in values), tuple(is_good(value) for value in values)
    )


A_DAY = 5000
"""Questions of a device in a day; `PEAK` times the mean come in the busiest seconds. Assumed: replace by counts."""
PEAK = 10
BUSY = 0.5
"""Share of what a worker can do that is planned with."""
NETWORKS = (("school", 1_000), ("company", 10_000), ("ISP, 100,000 households", 1_000_000))


def sizes(rate: float, first_mib: float, further_mib: float) -> list[tuple[str, list[str | None]]]:
    """Return for each network devices, peak rate, workers and memory.

    Args:
        rate: answers a second of one worker at the mixed load.
        first_mib: memory of a Sinkhole with one worker.
        further_mib: of each more.
    """
    rows: list[tuple[str, list[str | None]]] = []
    for name, devices in NETWORKS:
        peak = devices * A_DAY / 86_400 * PEAK
        workers = ceil(peak / (BUSY * rate))
        memory = first_mib + (workers - 1) * further_mib
        rows.append((name, [f"{devices:,}", f"{peak:,.0f}", str(workers), f"{memory:,.0f}"]))
    return rows
