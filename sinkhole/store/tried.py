"""What was recorded of one vendor, or of one client: who, what and when. It reads the hits of a time, and no others."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from sinkhole.policy.verdict import Action
from sinkhole.store.attempts import CLIENTS, COUNT, GAP
from sinkhole.store.database import Store
from sinkhole.store.reports import Tally

Column = Literal["client", "vendor"]
_WITHIN = "last >= :since AND last < :until AND minute >= :minute"
_DONE = "SUM(CASE WHEN action = :{} THEN count ELSE 0 END)"
_TALLIES = f"""
    SELECT word.text, {CLIENTS}, {COUNT}, SUM(count), {_DONE.format("block")}, {_DONE.format("coach")}, MIN(first),
           MAX(last)
    FROM (SELECT {{key}} AS k, client, action, count, first, last, {GAP.format(by="client, vendor")}
          FROM hit WHERE {_WITHIN} AND {{of}} = :word AND {{key}} IS NOT NULL)
    JOIN word ON word.id = k WHERE word.text <> '' GROUP BY k ORDER BY 3 DESC, 4 DESC, 1 LIMIT :limit
"""  # noqa: S608 - columns of ours, values are bound
_TIMES = f"""
    SELECT first / :width, COALESCE(word.text, ''), SUM(gap IS NULL OR gap > :window)
    FROM (SELECT vendor, first, {GAP.format(by="client, vendor")}
          FROM hit WHERE {_WITHIN} AND client = :word AND vendor IS NOT NULL)
    LEFT JOIN word ON word.id = vendor GROUP BY 1, 2
"""  # noqa: S608 - the same
_NAMES = f"""
    SELECT n.text, v.text, action, SUM(count), MIN(first), MAX(last)
    FROM hit JOIN word n ON n.id = name LEFT JOIN word v ON v.id = vendor
    WHERE {_WITHIN} AND client = :word GROUP BY name, vendor, action ORDER BY MAX(last) DESC, 1 LIMIT :limit
"""  # noqa: S608 - the same


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
        return self._tallies("client", "vendor", vendor, (since, until), limit)

    def vendors_of(self, client: str, since: int, until: int, limit: int = -1) -> list[Tally]:
        """Return the vendors that a client tried, the most attempts first."""
        return self._tallies("vendor", "client", client, (since, until), limit)

    def times_of(self, client: str, since: int, until: int, width: int) -> dict[int, dict[str, int]]:
        """Return a client's attempts by vendor, by spans of `width` seconds since the epoch in which they began."""
        found: dict[int, dict[str, int]] = {}
        with self._store.reading() as connection:
            word = _word(connection, client)
            if word is None:
                return found
            bound = self._bound(since, until) | {"word": word, "width": width}
            for place, vendor, attempts in connection.exec_driver_sql(_TIMES, bound):
                if attempts:
                    found.setdefault(int(place), {})[str(vendor)] = int(attempts)
        return found

    def names_of(self, client: str, since: int, until: int, limit: int) -> list[NameAsked]:
        """Return the names that a client asked for, the last asked first."""
        with self._store.reading() as connection:
            word = _word(connection, client)
            if word is None:
                return []
            rows = connection.exec_driver_sql(_NAMES, self._bound(since, until) | {"word": word, "limit": limit})
            return [NameAsked(name, vendor, str(Action(action)), *rest) for name, vendor, action, *rest in rows]

    def _tallies(self, key: Column, of: Column, text: str, times: tuple[int, int], limit: int) -> list[Tally]:
        with self._store.reading() as connection:
            word = _word(connection, text)
            if word is None:
                return []
            bound = self._bound(*times) | {
                "word": word, "limit": limit, "block": Action.BLOCK.value, "coach": Action.COACH.value,
            }  # fmt: skip
            return [Tally(*row) for row in connection.exec_driver_sql(_TALLIES.format(key=key, of=of), bound)]

    def _bound(self, since: int, until: int) -> dict[str, int]:
        return {"since": since, "until": until, "minute": since // 60, "window": self._window}


def _word(connection: Connection, text: str) -> int | None:
    """Return the number of a text that hits share, None where none has it; that of clients not stored is nobody's."""
    if not text:
        return None
    found: int | None = connection.exec_driver_sql("SELECT id FROM word WHERE text = ?", (text,)).scalar()
    return found
