"""Texts that repeat, kept once: ids of texts, cached for the writer."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

_CHUNK = 500
"""Bound parameters a statement: SQLite's old limit is 999."""


class Words:
    """Gives ids to texts, making new ones; only the one writer of the store uses it.

    The cache is dropped whole when it is full, which a flood of random names would make it.
    """

    def __init__(self, max_cached: int = 100_000) -> None:
        self._max_cached = max_cached
        self._ids: dict[str, int] = {}

    def ids_of(self, connection: Connection, texts: Iterable[str]) -> dict[str, int]:
        """Return the id of each text, within the transaction of `connection`."""
        wanted = set(texts)
        missing = [word for word in wanted if word not in self._ids]
        if len(self._ids) + len(missing) > self._max_cached:
            self._ids.clear()
            missing = list(wanted)
        for start in range(0, len(missing), _CHUNK):
            self._fetch(connection, missing[start : start + _CHUNK])
        return {word: self._ids[word] for word in wanted}

    def _fetch(self, connection: Connection, words: list[str]) -> None:
        connection.exec_driver_sql("INSERT OR IGNORE INTO word (text) VALUES (?)", [(word,) for word in words])
        marks = ",".join("?" * len(words))
        rows = connection.exec_driver_sql(f"SELECT text, id FROM word WHERE text IN ({marks})", tuple(words))  # noqa: S608
        self._ids.update((row[0], row[1]) for row in rows)

    def forget(self) -> None:
        """Drop the cache: a transaction was rolled back, or words were deleted."""
        self._ids.clear()


def delete_unused_words(connection: Connection, limit: int) -> int:
    """Delete up to `limit` texts that no hit uses any more; return how many went."""
    columns = ("client", "name", "group", "vendor", "product", "feed", "subject")
    used = " UNION ALL ".join(f'SELECT "{column}" FROM hit WHERE "{column}" IS NOT NULL' for column in columns)  # noqa: S608
    statement = text(
        f"DELETE FROM word WHERE id IN (SELECT id FROM word WHERE id NOT IN ({used}) LIMIT :limit)"  # noqa: S608
    )
    return connection.execute(statement, {"limit": limit}).rowcount
