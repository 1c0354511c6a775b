"""What is to be told once, on the next page of somebody: kept here, so nobody can make one up; a restart forgets it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sinkhole.web.actor import Actor
from sinkhole.web.briefly import Briefly

Tone = Literal["good", "warn", "bad"]
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
        self._kept: Briefly[tuple[Flash, ...]] = Briefly(clock)

    def put(self, actor: Actor, *flashes: Flash) -> None:
        """Keep sentences for the next page of somebody."""
        self._kept.put(_key(actor), lambda before: (*(before or ()), *flashes)[-_MOST_OF_ONE:])

    def take(self, actor: Actor) -> tuple[Flash, ...]:
        """Return what is to be told, and forget it."""
        return self._kept.take(_key(actor)) or ()


def _key(actor: Actor) -> str:
    return actor.who if actor.session is None else f"session {actor.session.digest}"
