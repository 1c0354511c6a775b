"""The memory that answers and finished replies of one worker share (`cache.max_bytes`).

Finished replies may have a half, and take it as they need it; the answers of upstreams have all the rest, and give
way. A flood of blocked names makes replies alone: it is stopped at the half. A flood of other names makes both, but an
answer that is pushed out costs an upstream's time, a reply that is pushed out a fraction of a millisecond: so answers
have the larger part.
"""

from collections.abc import Callable
from typing import Final

_STEPS: Final = 128
"""Parts in which the half of the replies is taken, so that answers give way to a few hundred replies at a time."""


class CacheBudget:
    """The octets of one worker's caches.

    Args:
        max_octets: octets of both together.
    """

    def __init__(self, max_octets: int) -> None:
        self._max_octets = max_octets
        self._step = max(1, max_octets // 2 // _STEPS)
        self._give_way: Callable[[], None] = lambda: None
        self.replies = 0

    @property
    def most_replies(self) -> int:
        """Octets that finished replies may ever have."""
        return self._max_octets // 2

    @property
    def answers(self) -> int:
        """Octets that answers may have now."""
        return self._max_octets - self.replies

    def on_less(self, give_way: Callable[[], None]) -> None:
        """Have `give_way` called whenever there is less for answers."""
        self._give_way = give_way

    def claim(self, octets: int) -> int:
        """Take so many octets for finished replies, or a few more; return how many they have now."""
        if octets > self.replies:
            steps = -(-octets // self._step)
            self.replies = min(self.most_replies, steps * self._step)
            self._give_way()
        return self.replies

    def release(self) -> None:
        """Give back all that finished replies had: they are gone."""
        self.replies = 0
