"""What is kept for minutes, for so many at most, and forgotten at a restart."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")
KEPT_SECONDS = 300.0
_MOST = 500


class Briefly(Generic[Value]):
    """Keep one value a key; the oldest goes where there are too many.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # pages and changes are made in several threads
        self._kept: dict[str, tuple[float, Value]] = {}

    def put(self, key: str, made_of: Callable[[Value | None], Value]) -> None:
        """Keep what is made of the value that was kept until now, or of None."""
        now = self._clock()
        with self._lock:
            self._kept = {one: kept for one, kept in self._kept.items() if now - kept[0] < KEPT_SECONDS}
            before = self._kept.pop(key, None)
            while len(self._kept) >= _MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (now, made_of(before and before[1]))

    def find(self, key: str) -> Value | None:
        """Return what is kept, or None."""
        with self._lock:
            return self._fresh(self._kept.get(key))

    def take(self, key: str) -> Value | None:
        """Return what is kept, or None, and forget it."""
        with self._lock:
            return self._fresh(self._kept.pop(key, None))

    def _fresh(self, kept: tuple[float, Value] | None) -> Value | None:
        return kept[1] if kept is not None and self._clock() - kept[0] < KEPT_SECONDS else None
