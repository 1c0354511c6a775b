"""Logs that a stranger's packets cannot flood: each event at most once in a while, with the number left out."""

from collections.abc import Callable

from sinkhole.log import Log

INTERVAL = 60.0
"""Seconds between two lines of the same event."""


class QuietLog:
    """Write each event at most once per `interval` seconds; the next line says how many were `suppressed`.

    The set of events is the set of literals in our code, so it needs no bound.
    """

    def __init__(self, log: Log, clock: Callable[[], float], interval: float = INTERVAL) -> None:
        self._log = log
        self._clock = clock
        self._interval = interval
        self._next: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def warning(self, event: str, **fields: object) -> None:
        """Report that something is degraded and works on, or count it."""
        if self._is_due(event):
            self._log.warning(event, **fields, **self._left_out(event))

    def exception(self, event: str, **fields: object) -> None:
        """Report the exception in hand with its traceback, or count it."""
        if self._is_due(event):
            self._log.exception(event, **fields, **self._left_out(event))

    def _is_due(self, event: str) -> bool:
        now = self._clock()
        if now < self._next.get(event, now):
            self._suppressed[event] = self._suppressed.get(event, 0) + 1
            return False
        self._next[event] = now + self._interval
        return True

    def _left_out(self, event: str) -> dict[str, int]:
        count = self._suppressed.pop(event, 0)
        return {"suppressed": count} if count else {}
