"""Attempts by vendor and hour, of the last day or so."""

from sinkhole.store.database import Store
from sinkhole.store.span_runs import HOUR
from sinkhole.store.span_sql import By, Edge
from sinkhole.store.spans import Spans


def attempts_by_hour(store: Store, window: int, since: int, until: int) -> dict[int, dict[str, int]]:
    """Return attempts by vendor, by hours since the epoch in which they began; a time of some days at most.

    Args:
        window: seconds, of an attempt.
        since, until: epoch seconds.
    """
    with store.reading() as connection:
        spans = Spans.of(store, connection, window)
        found = spans.attempts_by(1, By.VENDOR, since, until)
        going_on = spans.under_way(By.VENDOR, since, Edge(until))
        words = spans.texts({vendor for here in found.values() for vendor in here})
        words |= spans.texts({vendor for vendor, _ in going_on})
    told = {hour: {words[vendor]: count for vendor, count in here.items()} for hour, here in found.items() if here}
    for (vendor, _), one in going_on.items():
        first = told.setdefault(since // HOUR, {})
        first[words[vendor]] = first.get(words[vendor], 0) + one.attempts
    return told
