"""How much a client looks as if it went round the resolver: a score from 0 to 100 of three parts, each shown.

It is a reason to look, no proof: each part has innocent causes (docs/bypass.md). The formula, for a span of time:

    canaries  5 for each day on which it asked a canary, 20 at most
    names     4 for each hour in which it asked for another name with a subject bypass:…, 40 at most
    silence  10 for each silent hour, 40 at most

Silent is a whole hour in which a client asked nothing, canaries apart, though it is there (the neighbour table or a
lease says so, or it asked a canary), though others went on, and though it was steady before. Steady: it asked in 4 of
the 6 hours before the silence began, 40 queries in all. Others went on: of at least 2 other clients that were steady at
that moment, half or more ask. An hour alone is none; it takes 2 in a row.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from sinkhole.store.bypass_hits import BypassHits
from sinkhole.store.client_store import HourOfClient

CANARY_POINTS, CANARY_MOST = 5, 20
NAME_POINTS, NAME_MOST = 4, 40
SILENCE_POINTS, SILENCE_MOST = 10, 40
LOOK_BACK = 6
STEADY_HOURS = 4
STEADY_QUERIES = 40
LEAST_OTHERS = 2
LEAST_SILENCE = 2
_DAY = 24
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class BypassScore:
    """What one client did: days with a canary, hours with another name, those names, silent hours (since the epoch)."""

    client: str
    canary_days: int
    name_hours: int
    names: tuple[str, ...]
    silent_hours: tuple[int, ...]

    @property
    def canary_points(self) -> int:
        """The part of canaries."""
        return min(CANARY_MOST, CANARY_POINTS * self.canary_days)

    @property
    def name_points(self) -> int:
        """The part of names."""
        return min(NAME_MOST, NAME_POINTS * self.name_hours)

    @property
    def silence_points(self) -> int:
        """The part of silence."""
        return min(SILENCE_MOST, SILENCE_POINTS * len(self.silent_hours))

    @property
    def score(self) -> int:
        """The sum of the parts."""
        return self.canary_points + self.name_points + self.silence_points


def bypass_scores(
    hits: Iterable[BypassHits], hours: Iterable[HourOfClient], canaries: Iterable[str], since_hour: int, this_hour: int
) -> list[BypassScore]:
    """Return the clients with a score, the highest first.

    Args:
        hits: queries for ways round.
        hours: what clients did; of the hours before the span too, for who was steady.
        canaries: their names.
        since_hour, this_hour: the span, in hours since the epoch; `this_hour` is not over and not looked at.
    """
    found, is_canary = tuple(hits), frozenset(canaries)
    silence = silent_hours(hours, canary_hours(found, is_canary), since_hour, this_hour)
    return scores(found, silence, is_canary, since_hour)


def canary_hours(hits: Iterable[BypassHits], canaries: Set[str]) -> dict[str, dict[int, int]]:
    """Return how many canaries were asked, by client and hour."""
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for hit in hits:
        if hit.name in canaries:
            found[hit.client][hit.hour] += hit.count
    return found


def silent_hours(
    hours: Iterable[HourOfClient], asked: Mapping[str, Mapping[int, int]], since_hour: int, this_hour: int
) -> dict[str, tuple[int, ...]]:
    """Return the silent hours of each client that has some; `asked` are canaries, the others as in `bypass_scores`."""
    return _Activity(hours, asked).silent_hours(since_hour, this_hour)


def scores(
    hits: Iterable[BypassHits], silence: Mapping[str, tuple[int, ...]], canaries: Set[str], since_hour: int
) -> list[BypassScore]:
    """Return the clients with a score, the highest first; arguments are those of `bypass_scores` and its parts."""
    canary_days: dict[str, set[int]] = defaultdict(set)
    name_hours: dict[str, set[int]] = defaultdict(set)
    names: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for hit in hits:
        if hit.hour < since_hour:
            continue
        if hit.name in canaries:
            canary_days[hit.client].add(hit.hour // _DAY)
        else:
            name_hours[hit.client].add(hit.hour)
            names[hit.client][hit.name] += hit.count
    found = []
    for client in canary_days.keys() | name_hours.keys() | silence.keys():
        asked = sorted(names.get(client, {}).items(), key=lambda pair: (-pair[1], pair[0]))
        shown = tuple(name for name, _ in asked[:_SHOWN])
        days, hours = len(canary_days.get(client, ())), len(name_hours.get(client, ()))
        found.append(BypassScore(client, days, hours, shown, silence.get(client, ())))
    scored = [one for one in found if one.score]
    return sorted(scored, key=lambda one: (-one.score, one.client))


class _Activity:
    """What all clients did hour by hour.

    Args:
        hours: what they did.
        canaries: how many canaries they asked, by client and hour; these are no sign of use.
    """

    def __init__(self, hours: Iterable[HourOfClient], canaries: Mapping[str, Mapping[int, int]]) -> None:
        self._queries: dict[str, dict[int, int]] = defaultdict(dict)
        self._asking: dict[int, set[str]] = defaultdict(set)
        self._there: dict[str, set[int]] = defaultdict(set)
        for client, by_hour in canaries.items():
            self._there[client].update(by_hour)
        for one in hours:
            asked = one.queries - canaries.get(one.client, {}).get(one.hour, 0)
            if asked > 0:
                self._queries[one.client][one.hour] = asked
                self._asking[one.hour].add(one.client)
            if one.is_alive:
                self._there[one.client].add(one.hour)
        self._steady: dict[int, frozenset[str]] = {}
        self._counts: dict[tuple[int, int], int] = {}

    def silent_hours(self, since_hour: int, this_hour: int) -> dict[str, tuple[int, ...]]:
        """Return the silent hours of each client that has some."""
        found = {client: tuple(self._silent(client, since_hour, this_hour)) for client in self._queries}
        return {client: hours for client, hours in found.items() if hours}

    def _silent(self, client: str, since_hour: int, this_hour: int) -> Iterator[int]:
        reached = since_hour
        for hour in sorted(self._there[client]):
            if reached <= hour < this_hour:
                run = self._run(client, hour, this_hour)
                if len(run) >= LEAST_SILENCE:
                    yield from run
                reached = hour + max(1, len(run))

    def _run(self, client: str, start: int, this_hour: int) -> Sequence[int]:
        """Return the silent hours in a row that begin at `start`."""
        if not self._is_quiet(client, start):
            return ()
        steady = self._steady_at(start)
        others = len(steady) - 1  # it is steady itself, and asks in none of these hours
        if client not in steady or others < LEAST_OTHERS:
            return ()
        run = []
        for hour in range(start, this_hour):
            if not self._is_quiet(client, hour) or 2 * self._going_on(start, hour) < others:
                break
            run.append(hour)
        return run

    def _going_on(self, start: int, hour: int) -> int:
        """Return how many of those who were steady when the silence began ask in an hour."""
        key = (start, hour)
        if key not in self._counts:
            self._counts[key] = len(self._asking[hour] & self._steady_at(start))
        return self._counts[key]

    def _is_quiet(self, client: str, hour: int) -> bool:
        """Return whether a client is there and asks nothing."""
        return hour in self._there[client] and client not in self._asking[hour]

    def _steady_at(self, hour: int) -> frozenset[str]:
        """Return the clients that asked steadily in the hours before."""
        if hour not in self._steady:
            self._steady[hour] = frozenset(client for client in self._queries if self._is_steady(client, hour))
        return self._steady[hour]

    def _is_steady(self, client: str, hour: int) -> bool:
        asked = self._queries[client]
        before = [asked[earlier] for earlier in range(hour - LOOK_BACK, hour) if earlier in asked]
        return len(before) >= STEADY_HOURS and sum(before) >= STEADY_QUERIES
