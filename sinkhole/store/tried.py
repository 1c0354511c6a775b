"""What was recorded of one vendor, or of one client: who, what and when."""

from dataclasses import dataclass, replace

from sinkhole.policy.verdict import Action
from sinkhole.store.database import Store
from sinkhole.store.reports import Tally, tally_of, tally_order
from sinkhole.store.span_cache import Sum
from sinkhole.store.span_runs import HOUR
from sinkhole.store.span_sql import By, Edge
from sinkhole.store.spans import Spans
from sinkhole.store.words import word_of

_NAMES = """
    SELECT n.text, v.text, action, SUM(count), MIN(first), MAX(last)
    FROM hit INDEXED BY hit_client JOIN word n ON n.id = name LEFT JOIN word v ON v.id = vendor
    WHERE client = :word AND minute >= :minute AND last >= :since AND last < :until
    GROUP BY name, vendor, action ORDER BY MAX(last) DESC, 1 LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class NameAsked:
    """A name that a client asked for, and what was done: how many queries, first and last in epoch seconds."""

    name: str
    vendor: str | None
    action: str
    queries: int
    first: int
    last: int


class Tried:
    """Read-only questions.

    Args:
        attempt_window: seconds.
    """

    def __init__(self, store: Store, attempt_window: int) -> None:
        self._store = store
        self._window = attempt_window

    def clients_of(self, vendor: str, since: int, until: int, limit: int) -> list[Tally]:
        """Return the clients that tried a vendor, the most attempts first."""
        with self._store.reading() as connection:
            word = word_of(connection, vendor)
            if word is None:
                return []
            spans = Spans.of(self._store, connection, self._window, part=word)
            found = spans.sums(By.PAIR, since, until)
            tallies = _tallies(spans, {client: one for (client, _), one in found.items()})
        return [replace(one, clients=1) for one in tallies if one.key][:limit]

    def vendors_of(self, client: str, since: int, until: int, limit: int | None = None) -> list[Tally]:
        """Return the vendors that a client tried, the most attempts first."""
        with self._store.reading() as connection:
            word = word_of(connection, client)
            if word is None:
                return []
            spans = Spans.of(self._store, connection, self._window)
            found = spans.sums(By.PAIR, since, until, word)
            tallies = _tallies(spans, {vendor: one for (_, vendor), one in found.items() if vendor})
        return [replace(one, clients=1) for one in tallies][:limit]

    def times_of(self, client: str, since: int, until: int, width: int) -> dict[int, dict[str, int]]:
        """Return a client's attempts by vendor, by steps in which they began.

        Args:
            width: seconds of a step since the epoch: an hour or a day.
        """
        with self._store.reading() as connection:
            word = word_of(connection, client)
            if word is None:
                return {}
            spans = Spans.of(self._store, connection, self._window)
            found = spans.attempts_by(width // HOUR, By.PAIR, since, until, word)
            for (_, vendor), one in spans.under_way(By.PAIR, since, Edge(until), word).items():
                first = found.setdefault(since // width, {})
                first[vendor] = first.get(vendor, 0) + one.attempts
            words = spans.texts({vendor for here in found.values() for vendor in here})
        told = {step: {words[v]: count for v, count in here.items() if v in words} for step, here in found.items()}
        return {step: here for step, here in told.items() if here}

    def names_of(self, client: str, since: int, until: int, limit: int) -> list[NameAsked]:
        """Return the names that a client asked for, the last asked first."""
        with self._store.reading() as connection:
            word = word_of(connection, client)
            if word is None:
                return []
            bound = {"word": word, "since": since, "until": until, "minute": since // 60, "limit": limit}
            rows = connection.exec_driver_sql(_NAMES, bound)
            return [NameAsked(name, vendor, str(Action(action)), *rest) for name, vendor, action, *rest in rows]


def _tallies(spans: Spans, found: dict[int, Sum]) -> list[Tally]:
    texts = spans.texts(found)
    return sorted((tally_of(texts.get(word, ""), one) for word, one in found.items()), key=tally_order)
