"""Slots: ten minutes, of which it is known when their hits changed last, so that counts of them may be kept in memory.

Spans (`store.spans`) are of hours that are over. What came since is counted from hits, and most of these are of minutes
that do not change any more.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from sinkhole.store.span_sql import Edge

_SECONDS = 600
_MINUTES = _SECONDS // 60
_KNOWN = 144
"""Slots, to the newest, of which changes are remembered: a day."""


class Slot(NamedTuple):
    """Ten minutes: its number since the epoch, and the last change of what its counts are made of."""

    number: int
    change: int

    @property
    def edges(self) -> tuple[Edge, Edge]:
        """When it begins and ends."""
        return Edge(self.number * _SECONDS), Edge((self.number + 1) * _SECONDS)


def note_changes(connection: Connection, minutes: Iterable[int]) -> None:
    """Note that hits of some minutes (since the epoch) changed, in the transaction that changes them."""
    slots = [(slot,) for slot in sorted({minute // _MINUTES for minute in minutes})]
    connection.exec_driver_sql("INSERT OR REPLACE INTO slot_change (slot) VALUES (?)", slots)
    connection.exec_driver_sql(
        "DELETE FROM slot_change WHERE slot <= (SELECT MAX(slot) FROM slot_change) - ?", (_KNOWN,)
    )


def forget_changes(connection: Connection) -> None:
    """Forget all, in the transaction that deletes hits: what is counted next is not kept until there is a change."""
    connection.exec_driver_sql("DELETE FROM slot_change")


def pieces_of(
    connection: Connection, since: Edge, until: Edge, window: int
) -> Iterator[tuple[Edge, Edge, Slot | None]]:
    """Yield the parts of a time, one after the other: slots of which changes are known, and what is between them.

    Args:
        window: seconds; hits so long before a slot tell what begins in it.
    """
    before = -(-(window + 120) // _SECONDS)  # as far back as `span_sql.counted` looks
    newest = connection.exec_driver_sql("SELECT MAX(slot) FROM slot_change").scalar() or 0
    oldest = newest - _KNOWN + before
    left = since
    sql = "SELECT slot, change FROM slot_change WHERE slot >= ? AND slot < ?"
    bound = (since.at // _SECONDS - before, until.at // _SECONDS)
    changes = {int(slot): int(change) for slot, change in connection.exec_driver_sql(sql, bound).fetchall()}
    for number in sorted(changes):
        slot = Slot(number, max(changes.get(one, 0) for one in range(number - before, number + 1)))
        begin, end = slot.edges
        if number > oldest and since.at <= begin.at and end.at <= until.at:
            if begin.at > left.at:
                yield left, begin, None
            yield begin, end, slot
            left = end
    if until.at > left.at:
        yield left, until, None
