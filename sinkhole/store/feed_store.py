"""Feeds in the store: how each is configured, how it stands, and how its syncs went."""

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from sinkhole.errors import FeedError
from sinkhole.policy.feed import Feed, FeedState, FeedStatus
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.models import FeedRow, SyncRun

_TIMES = ("fetched_at", "changed_at", "next_due")
_CONFIGURED = tuple(Feed.__dataclass_fields__)
RUNS_KEPT = 200
"""Sync runs kept of each feed."""


class FeedStore:
    """Read and change feeds.

    Args:
        store: where they are.
        who: who makes the changes, for the audit log.
    """

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    def all(self) -> list[tuple[Feed, FeedState]]:
        """Return all feeds by name, each with how it stands."""
        with self._store.reading() as connection:
            rows = connection.execute(select(*FeedRow.__table__.c).order_by(FeedRow.name)).mappings()
            return [_pair(dict(row)) for row in rows]

    def get(self, name: str) -> tuple[Feed, FeedState]:
        """Return one feed.

        Raises:
            FeedError: there is none of this name.
        """
        with self._store.reading() as connection:
            return self._get(connection, name)

    def put(self, feed: Feed) -> None:
        """Add a feed, or change how that of the same name is configured; how it stands is left alone."""
        with self._store.transaction() as connection:
            row = (
                connection.execute(select(*FeedRow.__table__.c).where(FeedRow.name == feed.name))
                .mappings()
                .one_or_none()
            )
            before = _pair(dict(row))[0] if row else None
            if before:
                connection.execute(update(FeedRow).where(FeedRow.name == feed.name).values(asdict(feed)))
            else:
                connection.execute(insert(FeedRow).values(asdict(feed) | _state_to_row(FeedState())))
            note(connection, self._who, f"feed {feed.name}", before, feed)

    def put_state(self, name: str, state: FeedState, what: str | None = None) -> None:
        """Write how a feed stands; with `what`, a change by a person, which the audit log notes."""
        with self._store.transaction() as connection:
            _, before = self._get(connection, name)
            connection.execute(update(FeedRow).where(FeedRow.name == name).values(_state_to_row(state)))
            if what:
                note(connection, self._who, f"feed {name} {what}", before, state)

    def remove(self, name: str) -> Feed:
        """Remove a feed and return it; raises FeedError where there is none."""
        with self._store.transaction() as connection:
            feed, _ = self._get(connection, name)
            connection.execute(delete(FeedRow).where(FeedRow.name == name))
            connection.execute(delete(SyncRun).where(SyncRun.feed == name))
            note(connection, self._who, f"feed {name} removed", feed, None)
            return feed

    def note_run(self, name: str, state: FeedState, took_ms: int) -> None:
        """Add one sync run, and drop the oldest beyond what is kept."""
        with self._store.transaction() as connection:
            connection.execute(
                insert(SyncRun).values(
                    at=int(time.time()), feed=name, status=state.status.value, took_ms=took_ms,
                    rules=state.rules, message=state.message,
                )
            )  # fmt: skip
            kept = select(SyncRun.id).where(SyncRun.feed == name).order_by(SyncRun.id.desc()).limit(RUNS_KEPT)
            connection.execute(delete(SyncRun).where(SyncRun.feed == name, SyncRun.id.not_in(kept)))

    def runs(self, name: str, limit: int = 20) -> list[dict[str, Any]]:
        """Return the newest sync runs of a feed, newest first."""
        with self._store.reading() as connection:
            found = select(*SyncRun.__table__.c).where(SyncRun.feed == name).order_by(SyncRun.id.desc()).limit(limit)
            return [dict(row) for row in connection.execute(found).mappings()]

    def runs_of_all(
        self, limit: int, *, before: int | None = None, after: int = 0, feed: str | None = None
    ) -> list[dict[str, Any]]:
        """Return sync runs of all feeds or of one, newest first, with numbers above `after` and below `before`."""
        wanted = select(*SyncRun.__table__.c).where(SyncRun.id > after)
        if before is not None:
            wanted = wanted.where(SyncRun.id < before)
        if feed is not None:
            wanted = wanted.where(SyncRun.feed == feed)
        with self._store.reading() as connection:
            rows = connection.execute(wanted.order_by(SyncRun.id.desc()).limit(limit)).mappings()
            return [dict(row) for row in rows]

    def _get(self, connection: Connection, name: str) -> tuple[Feed, FeedState]:
        row = _row(connection, name)
        if row is None:
            raise FeedError(f"there is no feed {name!r}")
        return _pair(row)


def _row(connection: Connection, name: str) -> dict[str, Any] | None:
    row = connection.execute(select(*FeedRow.__table__.c).where(FeedRow.name == name)).mappings().one_or_none()
    return dict(row) if row else None


def _pair(row: dict[str, Any]) -> tuple[Feed, FeedState]:
    feed = Feed(**{key: row.pop(key) for key in _CONFIGURED})
    times = {key: datetime.fromtimestamp(row[key], UTC) if row[key] is not None else None for key in _TIMES}
    return feed, FeedState(**(row | times | {"status": FeedStatus(row["status"])}))


def _state_to_row(state: FeedState) -> dict[str, Any]:
    times = {key: int(at.timestamp()) if (at := getattr(state, key)) else None for key in _TIMES}
    return asdict(state) | times | {"status": state.status.value}
