"""Vet an update as a whole: one that changes too much waits until someone approves of it (R-F06)."""

from dataclasses import dataclass
from typing import Final

from sinkhole.config.schema import FeedSettings

MAX_REJECTED_SHARE: Final = 0.5
"""Of the rows that are no comments. Beyond it the list is likely of another format than it is read as."""


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of a list: `rules` that differ, and `rejected` rows."""

    rules: int
    rejected: int


def doubts(new: Count, last_good: Count | None, settings: FeedSettings) -> tuple[str, ...]:
    """Return the reasons to hold an update until someone approves of it; none to take it over.

    Args:
        new: of the list that was fetched; it has rules.
        last_good: of the list in force; None for a first fetch, which has nothing to be compared with.
        settings: the limits.
    """
    found = []
    rows = new.rules + new.rejected
    if new.rejected > rows * MAX_REJECTED_SHARE:
        found.append(f"{new.rejected} of {rows} rows were rejected; is it of another format?")
    if last_good is not None and last_good.rules:
        lost = last_good.rules - new.rules
        if lost >= last_good.rules * settings.max_shrink:
            found.append(f"it shrank from {last_good.rules} to {new.rules} rules")
        if new.rules >= last_good.rules * settings.max_growth:
            found.append(f"it grew from {last_good.rules} to {new.rules} rules")
    return tuple(found)
