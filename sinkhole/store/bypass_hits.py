"""Recorded queries for ways round the resolver: which client asked for which name in which hour."""

from dataclasses import dataclass

from sinkhole.store.database import Store
from sinkhole.store.span_sql import By
from sinkhole.store.spans import Spans


@dataclass(frozen=True, slots=True, order=True)
class BypassHits:
    """Queries of one client in one hour (since the epoch) for one name that is on a way round the resolver."""

    client: str
    hour: int
    name: str
    count: int


def bypass_hits(store: Store, since: int, attempt_window: int) -> list[BypassHits]:
    """Return the queries with a subject `bypass:…` since a time (epoch seconds), by client, hour and name."""
    with store.reading() as connection:
        newest = connection.exec_driver_sql("SELECT MAX(minute) FROM hit").scalar()
        if newest is None:
            return []
        spans = Spans.of(store, connection, attempt_window)
        rows = spans.hits_by_hour(By.BYPASS, since, newest * 60 + 60)
        texts = spans.texts({number for row in rows for number in row[1:3]})
    found = [BypassHits(texts.get(client, ""), hour, texts.get(name, ""), hits) for hour, client, name, hits in rows]
    return sorted(one for one in found if one.client)
