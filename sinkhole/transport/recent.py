"""A bounded mapping that forgets what was not used for a while, and whose look-up costs no bookkeeping.

There are two dictionaries, a young and an old one. What is used moves into the young one; when that is half of the
bound, it becomes the old one and the old one is dropped. An LRU of the usual kind would pay for every look-up.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Hold at most about `limit` values; `young` may be read directly where a function call is too much.

    Args:
        limit: values held.
        on_drop: is given what is forgotten, before it is.
    """

    __slots__ = ("_half", "_old", "_on_drop", "young")

    def __init__(self, limit: int, on_drop: Callable[[Iterable[V]], None] | None = None) -> None:
        self._on_drop = on_drop
        self._half = max(1, limit // 2)
        self.young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return the value and remember that it was used."""
        value = self.young.get(key)
        if value is None:
            value = self._old.pop(key, None)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep a value, if need be instead of those longest unused."""
        if len(self.young) >= self._half:
            self._drop(self._old.values())
            self._old, self.young = self.young, {}
        self.young[key] = value

    def clear(self) -> None:
        """Forget all."""
        self._drop(self.values())
        self.young = {}
        self._old = {}

    def values(self) -> Iterable[V]:
        """Return all values, without their being used by it."""
        return chain(self.young.values(), self._old.values())

    def discard(self, is_gone: Callable[[V], bool]) -> None:
        """Forget the values of which something is so."""
        for part in (self.young, self._old):
            gone = {key: value for key, value in part.items() if is_gone(value)}
            self._drop(gone.values())
            for key in gone:
                del part[key]

    def _drop(self, values: Iterable[V]) -> None:
        if self._on_drop is not None:
            self._on_drop(values)

    def __len__(self) -> int:
        return len(self.young) + len(self._old)
