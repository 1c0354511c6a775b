"""Medians and ratios of results. Only runs of the same session and round are compared: machines change their mood."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.results import Figure, Results, Run


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of several values."""

    median: float
    least: float
    most: float

    def scaled(self, factor: float) -> "Spread":
        """Return the same in another unit."""
        return Spread(self.median * factor, self.least * factor, self.most * factor)


def spread(values: Sequence[float]) -> Spread | None:
    """Return the spread of values, or None where there are none."""
    return Spread(statistics.median(values), min(values), max(values)) if values else None


class Comparison:
    """Looks up runs.

    Args:
        results: all of them; bad runs are left out, and counted.
    """

    def __init__(self, results: Results) -> None:
        self.bad = [run for run in results.runs if not run.is_good]
        self._runs: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
        self._figures: defaultdict[tuple[str, str, str], list[Figure]] = defaultdict(list)
        for run in results.runs:
            if run.is_good:
                self._runs[run.workload, run.server].append(run)
        for figure in results.figures:
            self._figures[figure.what, figure.of, figure.server].append(figure)

    def rate(self, workload: str, server: str) -> Spread | None:
        """Return the answers a second."""
        return spread([run.rate for run in self._runs[workload, server]])

    def ratio(self, workload: str, ours: str, theirs: str) -> float | None:
        """Return the median of our rate divided by theirs in the same round, or None if they never ran together."""
        return self._ratio(workload, ours, theirs, lambda run: run.rate)

    def cpu_ratio(self, workload: str, ours: str, theirs: str) -> float | None:
        """Return the same of answers for a second of processor time, which other work on the machine hardly changes."""
        return self._ratio(workload, ours, theirs, lambda run: run.per_cpu_second)

    def _ratio(self, workload: str, ours: str, theirs: str, of: Callable[[Run], float | None]) -> float | None:
        other = {(run.session, run.round): of(run) for run in self._runs[workload, theirs]}
        pairs = [(of(run), other.get((run.session, run.round))) for run in self._runs[workload, ours]]
        found = spread([mine / rate for mine, rate in pairs if mine and rate])
        return found.median if found else None

    def cpu_us(self, workload: str, server: str) -> Spread | None:
        """Return the microseconds of processor time an answer."""
        return spread([1e6 / rate for run in self._runs[workload, server] if (rate := run.per_cpu_second)])

    def figure(self, what: str, of: str, server: str) -> Spread | None:
        """Return the spread of another figure."""
        return spread([figure.value for figure in self._figures[what, of, server]])

    def is_marked(self, workload: str, server: str) -> bool:
        """Tell whether runs of it were left out."""
        return any((run.workload, run.server) == (workload, server) for run in self.bad)
