"""A bound on guesses: so many failures for one key within a time, and no more before that is over."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from sinkhole.blockpage.limits import network_of

_MOST_KEYS = 10_000


class Attempts:
    """Count failures by key; the keys that failed longest ago are forgotten first.

    Args:
        most: failures within `seconds`.
        clock: of monotonic seconds.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str) -> int:
        """Return the seconds until the next attempt is let through; 0: now."""
        failed = self._failed.get(key)
        if failed is None:
            return 0
        now = self._clock()
        while failed and failed[0] <= now - self._seconds:
            failed.popleft()
        if not failed:
            del self._failed[key]
            return 0
        return 0 if len(failed) < self._most else max(1, int(failed[0] + self._seconds - now + 0.999))

    def note_failure(self, key: str) -> None:
        """Count one; it is counted before the attempt is judged, so that many at once are no way round."""
        failed = self._failed.setdefault(key, deque(maxlen=self._most))
        failed.append(self._clock())
        self._failed.move_to_end(key)
        while len(self._failed) > _MOST_KEYS:
            self._failed.popitem(last=False)

    def forget(self, key: str) -> None:
        """Forget the failures of a key: an attempt was good."""
        self._failed.pop(key, None)


def key_of_address(address: str) -> str:
    """Return what addresses are counted by: themselves, and in IPv6 the /64 that one client has."""
    try:
        return network_of(address)
    except ValueError:
        return address
