"""A client's rate limit: a token bucket, kept as the one moment when it will be full again (GCRA)."""


class Bucket:
    """Let `burst` queries through at once and `rate` a second after that.

    Args:
        rate: queries a second, at least 1.
        burst: queries at once, at least 1.
    """

    __slots__ = ("_full_at", "_interval", "_limited", "_tolerance")

    def __init__(self, rate: int, burst: int) -> None:
        self._interval = 1.0 / rate
        self._tolerance = (burst - 0.99) * self._interval  # a hundredth more than exact, against rounding
        self._full_at = 0.0
        self._limited = 0

    def take(self, now: float) -> bool:
        """Take a token for one query at `now` (monotonic seconds); return False when there is none."""
        full_at = self._full_at
        if full_at < now:
            full_at = now
        elif full_at - now > self._tolerance:
            return False
        self._full_at = full_at + self._interval
        return True

    def slips(self, slip: int) -> bool:
        """Count a limited query; return whether it is one of each `slip` (0: none) that get an answer after all."""
        self._limited += 1
        return slip > 0 and self._limited % slip == 0
