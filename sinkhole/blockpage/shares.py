"""Places for what is open, all together and of each who opens: nobody may hold all of them."""

from collections import Counter

_RESERVE = 8
"""Part of the places, one in so many, that those through whom many come leave to others."""


class Shares:
    """Count what is open.

    Args:
        most: places.
        most_of_one: places that one may hold, told by a key such as a network.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._of_many = max(1, most - most // _RESERVE)
        self._taken: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def has_room(self, key: str, *, is_many: bool = False) -> bool:
        """Return whether one more may be opened; `is_many`: behind this key are many, who share nearly all places."""
        most = self._of_many if is_many else self._most_of_one
        return self._count < self._most and self._taken[key] < most

    def enter(self, key: str) -> None:
        """Take a place."""
        self._taken[key] += 1
        self._count += 1

    def leave(self, key: str) -> None:
        """Give a place back."""
        self._count -= 1
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]
