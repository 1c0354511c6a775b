"""Count the attempts in a choice of recorded queries, which the caller makes by judging each kind of query once."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sinkhole.store.attempts import CLIENTS, COUNT, GAP
from sinkhole.store.database import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """A kind of recorded query: who asked for which name and type; `minute` (since the epoch) is one at which they did.

    `ids` are what the store knows client and name by, `is_minute` tells whether it is about that minute alone.
    """

    client: str
    group: str | None
    name: str
    qtype: int
    minute: int
    ids: tuple[int, int]
    is_minute: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Queries that are chosen; those of one client and one `vendor` close to each other are one attempt."""

    asked: Asked
    vendor: str | None


@dataclass(frozen=True, slots=True)
class TriesOf:
    """How many clients (None where they are not stored), attempts and queries."""

    clients: int | None
    attempts: int
    queries: int


class Tries:
    """Read-only questions about recorded queries.

    Args:
        store: where the hits are.
        attempt_window: seconds within which hits are one attempt.
    """

    def __init__(self, store: Store, attempt_window: int) -> None:
        self._store = store
        self._window = attempt_window

    def asked(self, since: int, *, by_minute: bool) -> Iterator[Asked]:
        """Yield each kind of query asked since then (epoch seconds) once, or once for each minute it was asked in."""
        sql = f"""
            SELECT c.text, g.text, n.text, qtype, minute, client, name
            FROM (
                SELECT client, "group", name, qtype, MAX(minute) AS minute FROM hit
                WHERE last >= ?1 AND minute >= ?1 / 60
                GROUP BY client, "group", name, qtype{", minute" if by_minute else ""}
            )
            JOIN word c ON c.id = client JOIN word n ON n.id = name LEFT JOIN word g ON g.id = "group"
        """  # noqa: S608 - no value is in it
        with self._store.reading() as connection:
            rows = connection.execution_options(yield_per=1000).exec_driver_sql(sql, (since,))
            for client, group, name, qtype, minute, client_id, name_id in rows:
                yield Asked(client, group, name, qtype, minute, (client_id, name_id), by_minute)

    def count(self, spans: Sequence[Span], since: int) -> TriesOf:
        """Count what was chosen, as of `since` (epoch seconds)."""
        chosen = [
            [*span.asked.ids, span.asked.qtype, span.asked.minute if span.asked.is_minute else None, span.vendor or ""]
            for span in spans
        ]
        # CROSS, and a type for each column: so each hit finds its choice by an index that SQLite makes, not by a scan.
        sql = f"""
            WITH chosen AS MATERIALIZED (
                SELECT DISTINCT CAST(value ->> 0 AS INTEGER) AS who, CAST(value ->> 1 AS INTEGER) AS what,
                       CAST(value ->> 2 AS INTEGER) AS kind, value ->> 3 AS at, value ->> 4 AS whose
                FROM json_each(:chosen)
            )
            SELECT {CLIENTS}, COALESCE({COUNT}, 0), COALESCE(SUM(count), 0), COUNT(DISTINCT client)
            FROM (
                SELECT client, count, {GAP.format(by="client, whose")}
                FROM hit CROSS JOIN chosen
                ON who = client AND what = name AND kind = qtype AND (at IS NULL OR at = minute)
                WHERE last >= :since AND minute >= :since / 60
            )
        """  # noqa: S608 - expressions of ours, values are bound
        bound = {"chosen": json.dumps(chosen), "since": since, "window": self._window}
        with self._store.reading() as connection:
            clients, attempts, queries, keys = connection.exec_driver_sql(sql, bound).one()
        return TriesOf(None if keys and not clients else int(clients), int(attempts), int(queries))
