"""Count queries for vendors as they stream by: attempts, clients, first and last, in bounded memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sinkhole.evidence.model import Line, Span, Tried
from sinkhole.evidence.trend import DAY, start_of
from sinkhole.policy.verdict import Action

MOST_PAIRS = 500_000
"""Clients with their vendors that are told apart, some 150 MB; further ones count as one client."""
MOST_DAY_CLIENTS = 2_000_000
"""Clients of days that are told apart; where there are more, no day tells how many it had."""
_OTHERS = "(others)"


@dataclass(slots=True)
class Pair:
    """What one client did with one vendor, in one group.

    `began` and `ended` are of the attempt that is counted; `before` are attempts that began before a day of interest.
    """

    first: float
    last: float
    began: float
    ended: float
    attempts: int = 0
    queries: int = 0
    blocked: int = 0
    coached: int = 0
    refused: int = 0
    before: int = 0


@dataclass(slots=True)
class Counting:
    """Counts of a whole stream.

    A client that is an empty text is one that is not known: it counts as none.

    Args:
        window: seconds; what follows within them is the same attempt.
        has_policy: whether the actions are those of a policy; else none is told.
        is_split: whether attempts are told before and after.
    """

    window: float
    has_policy: bool
    is_split: bool = False
    pairs: dict[tuple[str, str, str | None], Pair] = field(default_factory=dict)
    days: dict[int, dict[str, int]] = field(default_factory=dict)
    day_clients: dict[int, set[str]] = field(default_factory=dict)
    tells_refusal: bool = False
    is_full: bool = False
    _day_room: int = MOST_DAY_CLIENTS

    def add(
        self, at: float, client: str, vendor: str, group: str | None, action: Action, was_refused: bool | None
    ) -> None:
        """Count one query. Logs need not be in order: an attempt grows in both directions."""
        pair = self.pairs.get((client, vendor, group))
        if pair is None:
            if len(self.pairs) >= MOST_PAIRS:
                self.is_full = True
                client = _OTHERS
                pair = self.pairs.get((client, vendor, group))
            if pair is None:
                pair = self.pairs[client, vendor, group] = Pair(at, at, at, at)
        if pair.queries == 0 or at > pair.ended + self.window or at < pair.began - self.window:
            pair.attempts += 1
            pair.began = pair.ended = at
            self._count_day(at, client, vendor)
        elif at > pair.ended:
            pair.ended = at
        elif at < pair.began:
            pair.began = at
        pair.queries += 1
        pair.first = min(pair.first, at)
        pair.last = max(pair.last, at)
        if action is Action.BLOCK:
            pair.blocked += 1
        elif action is Action.COACH:
            pair.coached += 1
        if was_refused is not None:
            self.tells_refusal = True
            pair.refused += was_refused

    def _count_day(self, at: float, client: str, vendor: str) -> None:
        day = int(at // DAY)
        attempts = self.days.setdefault(day, {})
        attempts[vendor] = attempts.get(vendor, 0) + 1
        clients = self.day_clients.setdefault(day, set())
        if self._day_room and client not in clients:
            clients.add(client)
            self._day_room -= 1

    def lines(
        self,
        key: Callable[[str, str, str | None], tuple[str | None, str]],
        name_of: Callable[[str], tuple[str, str | None]],
    ) -> list[Line]:
        """Return rows, most attempts first.

        Args:
            key: client, vendor and group to the part and vendor of the row.
            name_of: name and jurisdiction of a vendor.
        """
        rows: dict[tuple[str | None, str], list[tuple[str, Pair]]] = {}
        for (client, vendor, group), pair in self.pairs.items():
            rows.setdefault(key(client, vendor, group), []).append((client, pair))
        lines = []
        for (part, vendor), found in rows.items():
            before, after = self._spans(found)
            lines.append(Line(part, vendor, *name_of(vendor), self._tried(found), before=before, after=after))
        return sorted(lines, key=_order)

    def _spans(self, found: Sequence[tuple[str, Pair]]) -> tuple[Span, Span] | tuple[None, None]:
        if not self.is_split:
            return None, None
        before = {client for client, pair in found if client and pair.before}
        after = {client for client, pair in found if client and pair.attempts > pair.before}
        attempts = sum(pair.before for _, pair in found)
        return Span(len(before), attempts), Span(len(after), sum(pair.attempts for _, pair in found) - attempts)

    def total(self) -> Tried:
        """Return all of it."""
        return self._tried([(client, pair) for (client, _, _), pair in self.pairs.items()])

    def union(self, key: Callable[[str, str, str | None], tuple[str | None, str]]) -> Callable[[Sequence[Line]], int]:
        """Return what tells how many different clients some rows of `lines(key)` have together."""

        def count(lines: Sequence[Line]) -> int:
            wanted = {(line.part, line.vendor) for line in lines}
            keys = self.pairs
            return len({client for client, vendor, group in keys if client and key(client, vendor, group) in wanted})

        return count

    def clients_by_step(self, step: str) -> dict[int, int] | None:
        """Return how many clients began an attempt on each day or in each week, by its first day; None for too many."""
        if not self._day_room:
            return None
        found: dict[int, set[str]] = {}
        for day, clients in self.day_clients.items():
            found.setdefault(start_of(day, step), set()).update(clients)
        return {day: len(clients) for day, clients in found.items()}

    def _tried(self, found: Sequence[tuple[str, Pair]]) -> Tried:
        pairs = [pair for _, pair in found]
        return Tried(
            clients=len({client for client, _ in found if client}),
            attempts=sum(pair.attempts for pair in pairs),
            queries=sum(pair.queries for pair in pairs),
            blocked=sum(pair.blocked for pair in pairs) if self.has_policy else None,
            coached=sum(pair.coached for pair in pairs) if self.has_policy else None,
            refused=sum(pair.refused for pair in pairs) if self.tells_refusal else None,
            first=min((pair.first for pair in pairs), default=None),
            last=max((pair.last for pair in pairs), default=None),
        )


def _order(line: Line) -> tuple[int, int, str, str]:
    tried = line.tried
    return (-(tried.attempts if tried else 0), -(tried.queries if tried else 0), line.vendor or "", line.part or "")
