"""A client's rate limit: a token bucket, kept as the one moment when it will be full again (GCRA)."""


class Bucket:
    """Let `burst` queries through at once and `rate` a second after that.

    Args:
        rate: queries a second, at least 1.
        burst: queries at once, at least 1.
    """

    __slots__ = ("_full_at", "_interval", "_limited", "_slips_full_at", "_tolerance")

    def __init__(self, rate: int, burst: int) -> None:
        self._interval = 1.0 / rate
        self._tolerance = (burst - 0.99) * self._interval  # a hundredth more than exact, against rounding
        self._full_at = 0.0
        self._slips_full_at = 0.0
        self._limited = 0

    def is_empty(self, now: float) -> bool:
        """Return whether there is no token at `now` (monotonic seconds)."""
        return self._full_at - now > self._tolerance

    def take(self, now: float) -> bool:
        """Take a token for one query at `now` (monotonic seconds); return False when there is none."""
        full_at = self._full_at
        if full_at < now:
            full_at = now
        elif full_at - now > self._tolerance:
            return False
        self._full_at = full_at + self._interval
        return True

    def slips(self, slip: int, now: float) -> bool:
        """Count a limited query; return whether it is one of each `slip` (0: none) that get an answer after all.

        These have the limits of the rate, too: a real client needs to be told now and then, a flood costs no more.
        """
        self._limited += 1
        if slip <= 0 or self._limited % slip:
            return False
        full_at = max(self._slips_full_at, now)
        if full_at - now > self._tolerance:
            return False
        self._slips_full_at = full_at + self._interval
        return True
