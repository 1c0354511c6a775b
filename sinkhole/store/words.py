"""Texts that repeat, kept once: ids of texts, cached for the writer; texts that no hit uses are forgotten."""

from collections.abc import Iterable

from sqlalchemy import Connection

from sinkhole.store.bulk import insert_rows

TICK_MINUTES = 10
"""Unit of `word.used`: a text in use is written to once in this time, and forgotten this much late at most."""
_CHUNK = 500
"""Bound parameters a statement: SQLite's old limit is 999."""


class Words:
    """Gives ids to texts, making new ones; only the one writer of the store uses it.

    The cache is dropped whole when it is full, which a flood of random names would make it.
    """

    def __init__(self, max_cached: int = 100_000) -> None:
        self._max_cached = max_cached
        self._ids: dict[str, int] = {}
        self._tick = 0

    def ids_of(self, connection: Connection, texts: Iterable[str], minute: int) -> dict[str, int]:
        """Return the id of each text, within the transaction of `connection`.

        Args:
            minute: the newest in which the texts were used.
        """
        tick = minute // TICK_MINUTES
        wanted = set(texts)
        if tick > self._tick or len(self._ids) + len(wanted) > self._max_cached:
            self._ids.clear()
            self._tick = tick
        # Sorted, they land on few pages of the index: twice the speed.
        missing = sorted(wanted.difference(self._ids))
        if missing:
            self._ids.update(self._fetch(connection, missing))
        return {text: self._ids[text] for text in wanted}

    def _fetch(self, connection: Connection, words: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        outdated = []
        for start in range(0, len(words), _CHUNK):
            chunk = words[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            sql = f"SELECT text, id, used FROM word WHERE text IN ({marks})"  # noqa: S608 - marks only
            for text, number, used in connection.exec_driver_sql(sql, tuple(chunk)):
                found[text] = number
                if used < self._tick:
                    outdated.append((self._tick, number))
        new = [word for word in words if word not in found]
        if outdated:
            connection.exec_driver_sql("UPDATE word SET used = ? WHERE id = ?", outdated)
        if new:
            last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'word'").scalar()
            first = 1 + int(last or 0)
            found.update(zip(new, range(first, first + len(new)), strict=True))
            rows = [(found[word], word, self._tick) for word in new]
            insert_rows(connection, "INSERT INTO word (id, text, used)", rows)
        return found

    def forget(self) -> None:
        """Drop the cache: a transaction was rolled back, or words were deleted."""
        self._ids.clear()


def word_of(connection: Connection, text: str) -> int | None:
    """Return the number of a text that hits share, None where none has it; that of clients not stored is nobody's."""
    found: int | None = connection.exec_driver_sql("SELECT id FROM word WHERE text = ?", (text,)).scalar()
    return found if text else None


def texts_of(connection: Connection, numbers: Iterable[int]) -> dict[int, str]:
    """Return the texts of words, a few hundred at a time: there may be more than SQLite binds."""
    found: dict[int, str] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), _CHUNK):
        part = tuple(wanted[start : start + _CHUNK])
        marks = ",".join("?" * len(part))
        sql = f"SELECT id, text FROM word WHERE id IN ({marks})"  # noqa: S608 - marks only
        found.update((int(number), str(text)) for number, text in connection.exec_driver_sql(sql, part))
    return found


def delete_unused_words(connection: Connection, after: int, limit: int) -> tuple[int, int]:
    """Delete texts older than every hit, among the `limit` texts whose ids follow `after`.

    The caller notes a deletion, so that no writer goes on with the ids.

    Returns:
        How many went, and the last id looked at, 0 at the end.
    """
    bound = {"after": after, "limit": limit, "tick": TICK_MINUTES}
    last = connection.exec_driver_sql(
        "SELECT MAX(id) FROM (SELECT id FROM word WHERE id > :after ORDER BY id LIMIT :limit)", bound
    ).scalar()
    if last is None:
        return 0, 0
    deleted = connection.exec_driver_sql(
        "DELETE FROM word WHERE id > :after AND id <= :last "
        "AND used < COALESCE((SELECT MIN(minute) FROM hit) / :tick, used + 1)",
        bound | {"last": last},
    ).rowcount
    return deleted, int(last)
