"""Recorded queries for ways round the resolver: which client asked for which name in which hour."""

from dataclasses import dataclass

from sinkhole.store.database import Store

_SQL = """
    SELECT c.text, minute / 60, n.text, SUM(count)
    FROM hit JOIN word s ON s.id = hit.subject JOIN word c ON c.id = hit.client JOIN word n ON n.id = hit.name
    WHERE minute >= ? AND s.text LIKE 'bypass:%' AND c.text <> '' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class BypassHits:
    """Queries of one client in one hour (since the epoch) for one name that is on a way round the resolver."""

    client: str
    hour: int
    name: str
    count: int


def bypass_hits(store: Store, since: int) -> list[BypassHits]:
    """Return the queries with a subject `bypass:…` since a time (epoch seconds), by client, hour and name."""
    with store.reading() as connection:
        return [BypassHits(*row) for row in connection.exec_driver_sql(_SQL, (since // 60,))]
