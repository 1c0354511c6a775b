"""Write batches of hits: each exactly once, in one transaction, equal rows added up."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection

from sinkhole.policy.activity import Activity
from sinkhole.policy.hit import HitRow
from sinkhole.policy.sighting import Sighting
from sinkhole.policy.verdict import Action
from sinkhole.store import counters
from sinkhole.store.bulk import insert_rows
from sinkhole.store.candidates import add_sightings
from sinkhole.store.client_store import write_activities
from sinkhole.store.database import Store
from sinkhole.store.handover import last_taken, note_taken
from sinkhole.store.slots import note_changes
from sinkhole.store.summing import forget_changed, newest_hour
from sinkhole.store.words import Words

MAX_KNOWN = 100_000
"""Rows of the current minutes that are remembered for adding to, about 30 MB."""
_STILL_OPEN = 1
"""Minutes before the newest whose rows are remembered: what a worker sends late."""

_Key = tuple[int, int, int, int, int, int | None, int | None, int | None, int | None, int | None]

_INSERT = (
    'INSERT INTO hit (minute, client, name, qtype, action, "group", vendor, product, feed, subject, '
    "count, first, last, id)"
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
        # Field by field, not row by row: a flood of new names makes a row a query, and loops in C cost a quarter.
        minutes, clients, groups, names, qtypes, actions, vendors, products, feeds, subjects, *counts = map(
            list, zip(*rows, strict=True)
        )
        oldest, newest = min(minutes), max(minutes)
        if oldest // 60 <= newest_hour(connection):
            forget_changed(connection, oldest, newest)
        note_changes(connection, set(minutes))
        self._forget_old(newest, len(rows))
        shown = {client: self._client_text(client) for client in set(clients)}
        texts = set(names).union(shown.values(), groups, vendors, products, feeds, subjects)
        texts.discard(None)
        ids = cast(dict[str | None, int], self._words.ids_of(connection, texts, newest))
        id_of = ids.get  # of None: None
        keys = list(zip(
            minutes, map({client: ids[text] for client, text in shown.items()}.get, clients), map(id_of, names),
            qtypes, map(_ACTIONS.__getitem__, actions), map(id_of, groups), map(id_of, vendors), map(id_of, products),
            map(id_of, feeds), map(id_of, subjects), strict=True,
        ))  # fmt: skip
        new, added = self._sort(keys, list(zip(*counts, strict=True)), _next_id(connection))
        insert_rows(connection, _INSERT, new)
        if added:
            connection.exec_driver_sql(_ADD, added)

    def _forget_old(self, newest: int, coming: int) -> None:
        if len(self._known) + coming > self._max_known:
            self._known.clear()
        elif newest > self._newest:
            self._known = {key: number for key, number in self._known.items() if key[0] >= newest - _STILL_OPEN}
        self._newest = max(newest, self._newest)

    def _sort(
        self, keys: list[_Key], counts: list[tuple[int, int, int]], next_id: int
    ) -> tuple[list[tuple[int | None, ...]], list[tuple[int, ...]]]:
        """Return the bound values of rows to insert, and of those to add to a row that is or will be there.

        Args:
            keys: what tells a row from others.
            counts: count, first and last of each.
            next_id: for the first row to insert.
        """
        new: list[tuple[int | None, ...]] = []
        added: list[tuple[int, ...]] = []
        known = self._known
        for key, values in zip(keys, counts, strict=True):
            number = known.setdefault(key, next_id)
            if number == next_id:
                new.append((*key, *values, next_id))
                next_id += 1
            else:
                added.append((*values, number))
        return new, added


_ACTIONS = {str(action): action.value for action in Action}


def _next_id(connection: Connection) -> int:
    # Not MAX(id): whoever follows the hits would miss those that take the ids of deleted ones.
    last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'hit'").scalar()
    return 1 + int(last or 0)


def dropped(connection: Connection) -> int:
    """Return how many queries could not be counted since the store was made."""
    return counters.read(connection, counters.DROPPED)
