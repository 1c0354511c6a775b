"""What the clients of one group tried."""

from typing import NamedTuple

from sinkhole.store.database import Store
from sinkhole.store.span_sql import By
from sinkhole.store.spans import Spans

_DAY = 86_400
_END = 2**50


class GroupCount(NamedTuple):
    """What a group did with one vendor: attempts, and queries of them, of which so many were blocked or coached."""

    vendor: str
    attempts: int
    queries: int
    blocked: int
    coached: int


def group_counts(store: Store, group: str, first_day: int, attempt_window: int) -> list[GroupCount]:
    """Return what a group tried since the begin of a day (since the epoch, UTC), the most attempts first."""
    with store.reading() as connection:
        word = connection.exec_driver_sql("SELECT id FROM word WHERE text = ?", (group,)).scalar()
        if word is None or not group:
            return []
        spans = Spans.of(store, connection, attempt_window, part=word)
        found = spans.sums(By.VENDOR, first_day * _DAY, _END)
        texts = spans.texts({vendor for vendor, _ in found})
    counts = [
        GroupCount(texts[vendor], one.attempts, one.hits, one.blocked, one.coached)
        for (vendor, _), one in found.items()
        if vendor in texts
    ]
    return sorted(counts, key=lambda one: (-one.attempts, one.vendor))
