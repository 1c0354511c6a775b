"""What is to be told once, on the next page of somebody: kept here, so nobody can make one up; a restart forgets it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sinkhole.web.actor import Actor

Tone = Literal["good", "warn", "bad"]
KEPT_SECONDS = 300.0
_MOST_PEOPLE = 500
_MOST_OF_ONE = 8


@dataclass(frozen=True, slots=True)
class Flash:
    """A sentence, and how good the news is."""

    said: str
    tone: Tone = "good"


class Flashes:
    """Keep them by session, or by token where there is none.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # pages are made in several threads
        self._kept: dict[str, tuple[float, tuple[Flash, ...]]] = {}

    def put(self, actor: Actor, *flashes: Flash) -> None:
        """Keep sentences for the next page of somebody."""
        key, now = _key(actor), self._clock()
        with self._lock:
            self._kept = {one: kept for one, kept in self._kept.items() if now - kept[0] < KEPT_SECONDS}
            before = self._kept.pop(key, (now, ()))[1]
            while len(self._kept) >= _MOST_PEOPLE:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (now, (*before, *flashes)[-_MOST_OF_ONE:])

    def take(self, actor: Actor) -> tuple[Flash, ...]:
        """Return what is to be told, and forget it."""
        with self._lock:
            at, flashes = self._kept.pop(_key(actor), (0.0, ()))
        return flashes if self._clock() - at < KEPT_SECONDS else ()


def _key(actor: Actor) -> str:
    return actor.who if actor.session is None else f"session {actor.session.digest}"
