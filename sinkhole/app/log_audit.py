"""Who tried which vendor, from logs: read, judged and counted as a stream."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sinkhole.app.log_judge import LogJudge
from sinkhole.errors import LogError
from sinkhole.evidence.counting import Counting
from sinkhole.logs.reading import LogReading, LogSummary

_MOST_SEEN: Final = 1_000_000
"""Different clients that are counted, whatever they asked for."""


@dataclass(frozen=True, slots=True)
class LogRead:
    """A log that was read: what it was, how many queries it held, how many of them for vendors.

    `broke` says why it could not be read to its end, or is None.
    """

    summary: LogSummary
    queries: int
    for_vendors: int
    broke: str | None


@dataclass(slots=True)
class LogAudit:
    """What logs tell.

    Args:
        since, until: epoch seconds; what was before only tells which vendors were known by then.
        window: seconds within which what a client does with a vendor is one attempt.
    """

    judge: LogJudge
    since: float
    until: float
    window: float
    counting: Counting = field(init=False)
    logs: list[LogRead] = field(default_factory=list)
    known_before: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    first: float = math.inf
    last: float = -math.inf
    has_earlier: bool = False

    def __post_init__(self) -> None:
        self.counting = Counting(self.window, has_policy=self.judge.policy is not None)

    def read(self, readings: Iterable[LogReading]) -> None:
        """Read logs one after the other; one that breaks off is counted as far as it was read."""
        for reading in readings:
            broke = None
            counts = [0, 0]
            try:
                self._count(reading, counts)
            except LogError as error:
                broke = str(error)
            finally:
                reading.close()
            self.logs.append(LogRead(reading.summary(), counts[0], counts[1], broke))

    def _count(self, reading: LogReading, counts: list[int]) -> None:
        # Locals, since this runs for each line of ten million.
        judge, add, seen = self.judge.judge, self.counting.add, self.seen
        since, until, first, last = self.since, self.until, self.first, self.last
        queries = for_vendors = 0
        try:
            for at, client, name, was_refused in reading.queries():
                queries += 1
                if not since <= at < until:
                    self._outside(name, client, at)
                    continue
                if at > last:
                    last = at
                if at < first:
                    first = at
                if client not in seen and len(seen) < _MOST_SEEN:
                    seen.add(client)
                judged = judge(name, client, at)
                if judged is not None:
                    for_vendors += 1
                    add(at, client, judged.vendor, judged.group, judged.action, was_refused)
        finally:
            self.first, self.last = first, last
            counts[:] = queries, for_vendors

    def _outside(self, name: str, client: str, at: float) -> None:
        if at >= self.since:
            return
        self.has_earlier = True
        judged = self.judge.judge(name, client, at)
        if judged is not None:
            self.known_before.add(judged.vendor)

    def notes(self) -> Iterator[str]:
        """Yield what a reader has to know of the logs, without names or clients from them."""
        for log in self.logs:
            summary = log.summary
            if log.broke:
                yield f"{summary.name} broke off, and is counted as far as it could be read."
            if summary.untimed:
                yield (
                    f"{summary.name}: {summary.untimed} lines tell no time; they are counted as of when the file was "
                    f"last written."
                )
        if self.counting.is_full or len(self.seen) >= _MOST_SEEN:
            yield "There are more clients than can be told apart; the rest are counted as one."
