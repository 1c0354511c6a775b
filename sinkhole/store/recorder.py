"""Write batches of hits: each exactly once, in one transaction, equal rows added up."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from sinkhole.errors import StoreError
from sinkhole.policy.hit import HitRow
from sinkhole.policy.verdict import Action
from sinkhole.store.database import Store
from sinkhole.store.words import Words

DROPPED = "hits_dropped"
"""Counter of queries that could not be counted."""
_FORGET_WORKERS_AFTER = 7 * 86_400


@dataclass(frozen=True, slots=True)
class HitBatch:
    """Rows of one worker. Batches of a worker are numbered from 1 without gaps."""

    worker: str
    seq: int
    rows: tuple[HitRow, ...]
    dropped: int = 0


class Recorder:
    """The one writer of hits.

    Args:
        store: where to.
        client_text: what is stored of a client's address.
    """

    def __init__(self, store: Store, client_text: Callable[[str], str]) -> None:
        self._store = store
        self._client_text = client_text
        self._words = Words()

    def write(self, batch: HitBatch) -> bool:
        """Write a batch; return False for one that is out of order, which the worker will send again in order.

        A batch that was written before is left alone and is True.

        Raises:
            StoreError: it could not be written; nothing of it was.
        """
        try:
            with self._store.transaction() as connection:
                last = self._last_seq(connection, batch.worker)
                if batch.seq <= last:
                    return True
                if batch.seq != last + 1 and last:
                    return False
                self._note(connection, batch)
                self._insert(connection, batch)
        except StoreError:
            self._words.forget()
            raise
        return True

    def _last_seq(self, connection: Connection, worker: str) -> int:
        row = connection.exec_driver_sql("SELECT seq FROM handover WHERE worker = ?", (worker,)).fetchone()
        return int(row[0]) if row else 0

    def _note(self, connection: Connection, batch: HitBatch) -> None:
        now = int(time.time())
        connection.exec_driver_sql(
            "INSERT INTO handover (worker, seq, at) VALUES (?, ?, ?) "
            "ON CONFLICT (worker) DO UPDATE SET seq = excluded.seq, at = excluded.at",
            (batch.worker, batch.seq, now),
        )
        if batch.seq == 1:
            connection.exec_driver_sql("DELETE FROM handover WHERE at < ?", (now - _FORGET_WORKERS_AFTER,))
        if batch.dropped:
            connection.exec_driver_sql(
                "INSERT INTO counter (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                (DROPPED, batch.dropped),
            )

    def _insert(self, connection: Connection, batch: HitBatch) -> None:
        if not batch.rows:
            return
        clients = {client: self._client_text(client) for client in {row.client for row in batch.rows}}
        texts = {text for row in batch.rows for text in _texts(row)} | set(clients.values())
        ids = self._words.ids_of(connection, texts)
        rows = [
            (
                row.minute, ids[clients[row.client]], ids[row.name], row.qtype, Action.from_text(row.action).value,
                _id(ids, row.group), _id(ids, row.vendor), _id(ids, row.product), _id(ids, row.feed),
                _id(ids, row.subject), row.count, row.first, row.last,
            )
            for row in batch.rows
        ]  # fmt: skip
        connection.exec_driver_sql(
            'INSERT INTO hit (minute, client, name, qtype, action, "group", vendor, product, feed, subject, '
            "count, first, last) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def _texts(row: HitRow) -> Iterator[str]:
    yield row.name
    for text in (row.group, row.vendor, row.product, row.feed, row.subject):
        if text is not None:
            yield text


def _id(ids: dict[str, int], text: str | None) -> int | None:
    return None if text is None else ids[text]


def dropped(connection: Connection) -> int:
    """Return how many queries could not be counted since the store was made."""
    row = connection.exec_driver_sql("SELECT value FROM counter WHERE name = ?", (DROPPED,)).fetchone()
    return int(row[0]) if row else 0
