"""Write batches of hits: each exactly once, in one transaction, equal rows added up."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection

from sinkhole.policy.activity import Activity
from sinkhole.policy.hit import HitRow
from sinkhole.policy.sighting import Sighting
from sinkhole.policy.verdict import Action
from sinkhole.store import counters
from sinkhole.store.candidates import add_sightings
from sinkhole.store.client_store import write_activities
from sinkhole.store.database import Store
from sinkhole.store.handover import last_taken, note_taken
from sinkhole.store.words import Words

MAX_KNOWN = 100_000
"""Rows of the current minutes that are remembered for adding to, about 30 MB."""
_STILL_OPEN = 1
"""Minutes before the newest whose rows are remembered: what a worker sends late."""

_Key = tuple[int, int, int, int, int, int | None, int | None, int | None, int | None, int | None]

_INSERT = (
    'INSERT INTO hit (minute, client, name, qtype, action, "group", vendor, product, feed, subject, '
    "count, first, last, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD = 'UPDATE hit SET "count" = "count" + ?, "first" = min("first", ?), "last" = max("last", ?) WHERE id = ?'


@dataclass(frozen=True, slots=True)
class HitBatch:
    """Rows of one worker. Batches of a worker are numbered from 1 without gaps; `dropped` counts lost queries.

    `sightings` are what it saw of names that look like AI; `clients` says who asked how often.
    """

    worker: str
    seq: int
    rows: tuple[HitRow, ...]
    dropped: int = 0
    sightings: tuple[Sighting, ...] = ()
    clients: tuple[Activity, ...] = ()


class Recorder:
    """The one writer of hits.

    It remembers the rows of the last minutes, so that what comes later of the same minute is added to them without an
    index that every row would pay for; a row it has forgotten is followed by a second, which reports add up.

    Args:
        store: where to.
        client_text: what is stored of a client's address.
        max_known: rows remembered.
    """

    def __init__(self, store: Store, client_text: Callable[[str], str], max_known: int = MAX_KNOWN) -> None:
        self._store = store
        self._max_known = max_known
        self._client_text = client_text
        self._words = Words()
        self._known: dict[_Key, int] = {}
        self._newest = 0
        self._deletions = 0

    def write(self, batch: HitBatch) -> bool:
        """Write a batch; return False for one that is out of order, which the worker will send again in order.

        A batch that was written before is left alone and is True.

        Raises:
            StoreError: it could not be written; nothing of it was.
        """
        try:
            with self._store.transaction() as connection:
                last = last_taken(connection, batch.worker)
                if batch.seq <= last:
                    return True
                if batch.seq != last + 1 and last:
                    return False
                note_taken(connection, batch.worker, batch.seq, int(time.time()))
                if batch.dropped:
                    counters.add(connection, counters.DROPPED, batch.dropped)
                if batch.rows:
                    self._forget_deleted(connection)
                    self._insert(connection, batch.rows)
                if batch.sightings:
                    add_sightings(connection, batch.sightings, self._client_text)
                if batch.clients:
                    write_activities(connection, batch.clients, self._client_text)
        except BaseException:  # whatever it is, the ids of this transaction are void
            self._forget()
            raise
        return True

    def seal(self) -> None:
        """Add to no row that is written by now: what comes later of the same minute becomes a row of its own.

        So what leaves for others is never changed behind their back.
        """
        self._known.clear()

    def _forget(self) -> None:
        self._words.forget()
        self._known.clear()

    def _forget_deleted(self, connection: Connection) -> None:
        deletions = counters.read(connection, counters.DELETIONS)
        if deletions != self._deletions:
            self._forget()
            self._deletions = deletions

    def _insert(self, connection: Connection, rows: tuple[HitRow, ...]) -> None:
        newest = max(row.minute for row in rows)
        self._forget_old(newest, len(rows))
        clients = {client: self._client_text(client) for client in {row.client for row in rows}}
        texts = {text for row in rows for text in _texts(row)}
        ids = self._words.ids_of(connection, texts.union(clients.values()), newest)
        new, added = self._sort(
            rows, {client: ids[text] for client, text in clients.items()}, ids, _next_id(connection)
        )
        if new:
            connection.exec_driver_sql(_INSERT, new)
        if added:
            connection.exec_driver_sql(_ADD, added)

    def _forget_old(self, newest: int, coming: int) -> None:
        if len(self._known) + coming > self._max_known:
            self._known.clear()
        elif newest > self._newest:
            self._known = {key: number for key, number in self._known.items() if key[0] >= newest - _STILL_OPEN}
        self._newest = max(newest, self._newest)

    def _sort(
        self, rows: tuple[HitRow, ...], clients: dict[str, int], ids: dict[str, int], next_id: int
    ) -> tuple[list[tuple[int | None, ...]], list[tuple[int, ...]]]:
        """Return the bound values of rows to insert, and of those to add to a row that is or will be there."""
        new: list[tuple[int | None, ...]] = []
        added: list[tuple[int, ...]] = []
        by_text = cast(dict[str | None, int], ids)
        known, id_of = self._known, by_text.get  # of None: None
        for row in rows:
            key = (
                row.minute, clients[row.client], ids[row.name], row.qtype, _ACTIONS[row.action],
                id_of(row.group), id_of(row.vendor), id_of(row.product), id_of(row.feed), id_of(row.subject),
            )  # fmt: skip
            number = known.get(key)
            if number is None:
                known[key] = next_id
                new.append((*key, row.count, row.first, row.last, next_id))
                next_id += 1
            else:
                added.append((row.count, row.first, row.last, number))
        return new, added


_ACTIONS = {str(action): action.value for action in Action}


def _texts(row: HitRow) -> Iterator[str]:
    yield row.name
    for text in (row.group, row.vendor, row.product, row.feed, row.subject):
        if text is not None:
            yield text


def _next_id(connection: Connection) -> int:
    # Not MAX(id): whoever follows the hits would miss those that take the ids of deleted ones.
    last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'hit'").scalar()
    return 1 + int(last or 0)


def dropped(connection: Connection) -> int:
    """Return how many queries could not be counted since the store was made."""
    return counters.read(connection, counters.DROPPED)
