"""Forms that were sent and did what they should: the same sent again, as by a double click, is told so."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

KEPT_SECONDS = 300.0
_MOST = 500


@dataclass(frozen=True, slots=True)
class Made:
    """What a form made: the version of what it changed after that, and the page that it led to."""

    version: str
    to: str


class Repeats:
    """Keep what forms made, by who sent them and what was in them; a restart forgets it.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # changes are made in several threads
        self._kept: dict[str, tuple[float, Made]] = {}

    def note(self, key: str, made: Made) -> None:
        """Keep what a form made."""
        now = self._clock()
        with self._lock:
            self._kept = {one: kept for one, kept in self._kept.items() if now - kept[0] < KEPT_SECONDS}
            self._kept.pop(key, None)
            while len(self._kept) >= _MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (now, made)

    def find(self, key: str) -> Made | None:
        """Return what the same form made a moment ago, or None."""
        with self._lock:
            at, made = self._kept.get(key, (0.0, None))
        return made if self._clock() - at < KEPT_SECONDS else None


def key_of(who: str, path: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return what a form is known by."""
    return hashlib.sha256(repr((who, path, sorted(fields))).encode()).hexdigest()
