"""Forms that were sent and did what they should: the same sent again, as by a double click, is told so."""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sinkhole.web.briefly import Briefly


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
        self._kept: Briefly[Made] = Briefly(clock)

    def note(self, key: str, made: Made) -> None:
        """Keep what a form made."""
        self._kept.put(key, lambda _: made)

    def find(self, key: str) -> Made | None:
        """Return what the same form made a moment ago, or None."""
        return self._kept.find(key)


def key_of(who: str, path: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return what a form is known by."""
    return hashlib.sha256(repr((who, path, sorted(fields))).encode()).hexdigest()
