"""The wall clock as queries are told it; to make a time of it costs as much as a system call."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

_LATELY: Final = 0.1
_MINUTE: Final = 60


class Moments:
    """Tells the time.

    Args:
        wall: seconds since the epoch.
    """

    __slots__ = ("_from", "_lately", "_of_batch", "_until", "_wall")

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._of_batch: datetime | None = None
        self._lately = datetime.fromtimestamp(0, UTC)
        self._from = self._until = 0.0

    def tick(self) -> None:
        """Begin a batch of queries."""
        self._of_batch = None

    def now(self) -> datetime:
        """Return the time of the batch, in UTC."""
        if self._of_batch is None:
            self._of_batch = datetime.fromtimestamp(self._wall(), UTC)
        return self._of_batch

    def lately(self) -> datetime:
        """Return a time of this minute up to 0.1 s ago, in UTC, for where no verdict depends on it."""
        seconds = self._wall()
        if not self._from <= seconds < self._until:
            self._lately, self._from = datetime.fromtimestamp(seconds, UTC), seconds
            self._until = min(seconds + _LATELY, (seconds // _MINUTE + 1) * _MINUTE)
        return self._lately
