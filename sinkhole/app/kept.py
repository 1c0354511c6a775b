"""What takes long to make and is kept as long as what it is made of is the same; shared by the threads of a process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from sinkhole.app.catalogue_in_force import CatalogueInForce

Thing = TypeVar("Thing")
Silence = dict[str, tuple[int, ...]]
"""Silent hours (since the epoch) of clients."""


class Keep(Generic[Thing]):
    """The last things that were made, each with a key that changes with anything it is made of.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._kept: OrderedDict[Hashable, Thing] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Thing]) -> Thing:
        """Return the thing with a key; `make` it if there is none."""
        with self._lock:  # whoever comes meanwhile waits for it, instead of making it too
            if key not in self._kept:
                self._kept[key] = make()
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return self._kept[key]


def _catalogue() -> Keep[CatalogueInForce]:
    return Keep(1)


def _silence() -> Keep[Silence]:
    return Keep(4)


@dataclass(frozen=True, slots=True)
class Kept:
    """The catalogue in force (40 ms or more to make), and which clients were silent when (0.3 s for 2,000)."""

    catalogue: Keep[CatalogueInForce] = field(default_factory=_catalogue)
    silence: Keep[Silence] = field(default_factory=_silence)
