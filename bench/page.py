"""The tables of `docs/performance.md`, between its markers, and the plot beside them."""

from collections.abc import Sequence
from pathlib import Path

from bench import plot, targets
from bench.compare import Comparison, Spread
from bench.encrypted import WAYS
from bench.growth import CLIENTS, COUNTS, GROUPS
from bench.loading import COUNTS as LOADED
from bench.peers.registry import PEERS
from bench.profiling import SHOWN, WHAT
from bench.profiling import UDP as PROFILED
from bench.results import Results
from bench.speed import MODERATE
from bench.workers import RATE, RATE_BESIDE_LOAD, RATE_OF_SHARES

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.md"
PLOT = DOCS / "performance.svg"
BEGIN = "<!-- measured: python -m bench --write -->"
END = "<!-- end of what was measured -->"
UDP = ("blocked", "different", "cached", "mixed", "miss")
TCP = ("tcp-blocked", "tcp-cached")
OURS = ("sinkhole", "sinkhole-apart")
INTERPRETED = ("sinkhole-interpreted", "sinkhole-interpreted-apart")
OURS_ALL = ("sinkhole-all", "sinkhole-all-apart")
LIMITS = ("reflector-c", "reflector-python", "authority")
PLAIN = tuple(name for name, peer in PEERS.items() if not peer.is_logging and not peer.is_limit)
LOGGING = (*OURS, *(name for name, peer in PEERS.items() if peer.is_logging))
HEADS = {
    "blocked": "blocked, repeated", "different": "blocked, all different", "cached": "cached", "mixed": "mixed 30/65/5",
    "miss": "miss", "tcp-blocked": "TCP, blocked", "tcp-cached": "TCP, cached",
}  # fmt: skip


def write(results: Results) -> None:
    """Put the tables between the markers of the page, and draw the plot."""
    before, after = parts_around()
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(results)}\n{END}{after}")
    rates = Comparison(results)
    shown = [name for name in (*PLAIN, "reflector-c", "reflector-python") if any(rates.rate(w, name) for w in UDP)]
    bars = {HEADS[w]: [(name, s.median / 1000) for name in shown if (s := rates.rate(w, name))] for w in UDP}
    PLOT.write_text(plot.bars({head: rows for head, rows in bars.items() if rows}))


def parts_around() -> tuple[str, str]:
    """Return what is before and after the tables of the page.

    Raises:
        SystemExit: the markers between which they go are not there.
    """
    text = PAGE.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{PAGE}: wanted one line {BEGIN!r} and one line {END!r}")
    before, rest = text.split(BEGIN)
    return before, rest.split(END)[1]


def tables(results: Results) -> str:
    """Return all tables for which there is something, in Markdown."""
    found = Comparison(results)
    parts = [
        _about(results),
        _targets(found),
        _rates(found, "Peers as they come", UDP, (*PLAIN, *LIMITS)),
        _ratios(found, "Sinkhole divided by each peer", UDP, PLAIN, OURS),
        _ratios(found, "Interpreted, divided by each peer", UDP, _others(PLAIN), INTERPRETED),
        _shares(found),
        _costs(found),
        _rates(found, "With query logs", UDP, LOGGING),
        _ratios(found, "Sinkhole, storing hits, divided by peers that log queries", UDP, _others(LOGGING), OURS),
        _ratios(
            found, "Sinkhole, storing every query, divided by peers that log queries", UDP, _others(LOGGING), OURS_ALL
        ),
        _rates(found, "Over TCP, pipelined", TCP, PLAIN),
        _ratios(found, "Over TCP: Sinkhole divided by each peer", TCP, PLAIN, OURS),
        _rates(found, "Misses by the way to the upstream", ("miss",), WAYS),
        _latency(found),
        _loading(found),
        _workers(found),
        _growth(found),
        *_profiles(results),
        _sizing(found),
        _left_out(found),
    ]
    return "\n".join(part for part in parts if part)


def _others(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not name.startswith("sinkhole"))


def table(title: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str | None]]]) -> str:
    """Return a table with a heading, without rows that are empty; nothing if all are."""
    full = [(name, cells) for name, cells in rows if any(cells)]
    if not full:
        return ""
    lines = [f"### {title}\n", f"| | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    lines += [f"| {name} | {' | '.join(cell or '' for cell in cells)} |" for name, cells in full]
    return "\n".join(lines) + "\n"


def _cell(found: Spread | None, digits: int = 0) -> str | None:
    """Return `median (least-most)`."""
    if found is None:
        return None
    if found.least == found.most:
        return f"{found.median:,.{digits}f}"
    return f"{found.median:,.{digits}f} ({found.least:,.{digits}f}-{found.most:,.{digits}f})"


def _about(results: Results) -> str:
    if not results.sessions:
        return ""
    versions: dict[str, str] = {}
    for session in results.sessions:
        versions |= session.versions
    whens = sorted(session.when for session in results.sessions)
    commits = sorted({session.commit for session in results.sessions})
    machines = sorted({session.machine for session in results.sessions})
    opened = sorted({session.questions_open for session in results.sessions})
    said = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    when = whens[0] if whens[0] == whens[-1] else f"{whens[0]} to {whens[-1]}"
    questions = f"{' or '.join(map(str, opened))} questions open"
    return f"Measured {when} on {'; '.join(machines)}; commit {', '.join(commits)}; {questions}. {said}.\n"


def _rates(found: Comparison, title: str, workloads: Sequence[str], names: Sequence[str]) -> str:
    def cell(workload: str, name: str) -> str | None:
        rate = found.rate(workload, name)
        shown = _cell(rate.scaled(1e-3), 0 if rate.median > 20_000 else 1) if rate else None
        return f"{shown or 'not counted'} *" if found.is_marked(workload, name) else shown

    rows = [(name, [cell(workload, name) for workload in workloads]) for name in names]
    return table(f"{title}: thousands of answers a second, median (least-most)", _heads(workloads), rows)


def _heads(workloads: Sequence[str]) -> list[str]:
    return [HEADS[workload] for workload in workloads]


def _ratios(found: Comparison, title: str, workloads: Sequence[str], names: Sequence[str], ours: Sequence[str]) -> str:
    def cell(workload: str, name: str) -> str | None:
        ratios = [found.ratio(workload, mine, name) for mine in ours]
        return " · ".join("-" if ratio is None else f"{ratio:.2f}" for ratio in ratios) if any(ratios) else None

    rows = [(name, [cell(workload, name) for workload in workloads]) for name in names if name not in ours]
    return table(f"{title}: control process on the worker's core · on the other", _heads(workloads), rows)


def _shares(found: Comparison) -> str:
    def cell(workload: str, name: str) -> str | None:
        shares = [found.ratio(workload, name, limit) for limit in LIMITS[:2]]
        return " · ".join("-" if share is None else f"{share:.0%}" for share in shares) if any(shares) else None

    rows = [(name, [cell(workload, name) for workload in UDP]) for name in PLAIN]
    return table("Share of the limit: of the C reflector · of the Python reflector", _heads(UDP), rows)


def _costs(found: Comparison) -> str:
    rows = [(name, [_cell(found.cpu_us(workload, name), 1) for workload in UDP]) for name in (*PLAIN, *LIMITS)]
    return table(
        "Processor time an answer, all processes of a server: microseconds, median (least-most)", _heads(UDP), rows
    )


def _latency(found: Comparison) -> str:
    of = f"{MODERATE} q/s"
    whats = ("latency p50", "latency p99")
    rows = [(name, [_cell(found.figure(what, of, name), 2) for what in whats]) for name in PEERS]
    return table(f"Mixed at {MODERATE:,} questions a second: milliseconds, median (least-most)", ("p50", "p99"), rows)


def _loading(found: Comparison) -> str:
    whats = (("ready", "s", 2), ("memory", "MiB", 0), ("memory of a further worker", "MiB", 1))
    columns = [(what, f"{count:,} names", unit, digits) for count in LOADED for what, unit, digits in whats]
    heads = [f"{of}: {what}, {unit}" for what, of, unit, _ in columns]
    names = (*PLAIN, "sinkhole-2-workers")
    rows = [(name, [_cell(found.figure(what, of, name), digits) for what, of, _, digits in columns]) for name in names]
    return table("From start to the first right answer, and memory (PSS of all processes)", heads, rows)


def _workers(found: Comparison) -> str:
    workloads, rows = ("blocked", "cached", "different"), []
    is_wide = any(found.figure(RATE, workload, "workers-1") for workload in workloads)
    whats = (RATE,) if is_wide else (RATE_BESIDE_LOAD, RATE_OF_SHARES)
    for workload in workloads:
        cells: list[str | None] = []
        for what in (*whats, "answers for a second of processor"):
            one, two = (found.figure(what, workload, f"workers-{n}") for n in (1, 2))
            cells += [_cell(s.scaled(1e-3)) if s else None for s in (one, two)]
            cells.append(f"{two.median / one.median:.2f}" if one and two else None)
        rows.append((HEADS[workload], cells))
    heads = ["1 worker, kq/s", "2 workers, kq/s", "ratio"]
    if not is_wide:
        heads += ["1, a quarter of a core each, kq/s", "2, a quarter each, kq/s", "ratio"]
    heads += ["1: k answers/CPU s", "2: k answers/CPU s", "ratio"]
    beside = "" if is_wide else "; the second has the core of the load, which bounds whole cores"
    return table(f"Two workers against one{beside}", heads, rows)


def _growth(found: Comparison) -> str:
    workloads = ("blocked", "different", "miss")
    names = (*(f"names-{count}" for count in COUNTS), f"groups-{GROUPS}")
    rates = _rates(found, "Sinkhole by number of names, and with groups of clients", workloads, names)
    what = "processor time an answer"
    rows = [(of, [_cell(found.figure(what, of, "sinkhole"), 1)]) for of in (f"{count:,} clients" for count in CLIENTS)]
    return "\n".join(filter(None, (rates, table("The worker's processor time for an answer", ("µs",), rows))))


def _profiles(results: Results) -> list[str]:
    """Return a table for each workload: the functions in which the worker was seen most, of the last session."""
    parts = []
    for workload in PROFILED:
        seen = [figure for figure in results.figures if (figure.what, figure.of) == (WHAT, workload)][-SHOWN:]
        rows = [(f"`{figure.server}`", [f"{figure.value:.0f} %"]) for figure in seen if figure.value >= 1]
        parts.append(table(f"Where an interpreted worker's time goes: {HEADS[workload]}", ("share",), rows))
    return parts


def _targets(found: Comparison) -> str:
    rows: list[tuple[str, list[str | None]]] = []
    for row in targets.held(found, HEADS, f"{MODERATE} q/s", f"{LOADED[-1]:,} names"):
        met = " · ".join("yes" if is_met else "no" for is_met in row.is_met)
        rows.append((row.what, [" · ".join(row.measured), met]))
    return table("Targets: control process on the worker's core · on the other", ("measured", "met"), rows)


def _sizing(found: Comparison) -> str:
    of = f"{LOADED[0]:,} names"
    rate = found.rate("mixed", "sinkhole")
    first = found.figure("memory", of, "sinkhole")
    further = found.figure("memory of a further worker", of, "sinkhole")
    if rate is None or first is None or further is None:
        return ""
    rows = targets.sizes(rate.median, first.median, further.median)
    return table("Sizing, by these figures", ("devices", "questions a second at the peak", "workers", "MiB"), rows)


def _left_out(found: Comparison) -> str:
    if not found.bad:
        return ""
    lines = [f"- {run.server}, {run.workload}, round {run.round}: {run.faults()}" for run in found.bad]
    return "\n".join(["### Runs that do not count (*)\n", *lines]) + "\n"
