"""What is known of an upstream's health: how fast it answers, and whether it is worth asking."""

import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final

_PATIENCE: Final = 12
_FIRST_PROBE: Final = 1.0
_LAST_PROBE: Final = 30.0
_REMEASURE: Final = 60.0
_UNKNOWN: Final = 1.0
_PENALTY: Final = 1.0


class Fault(IntEnum):
    """How much a failure counts; at 12 in a row an upstream is down."""

    NO_ANSWER = 4
    BAD_ANSWER = 1
    """SERVFAIL or REFUSED may be about the name and not the upstream."""


class Health:
    """Round trip time and failures of one upstream; times are monotonic seconds.

    `answers` and `failures` are how many there were, `waited` the seconds that the answers took in all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults = 0
        self._pause = _FIRST_PROBE
        self._next_probe = float("-inf")
        self.is_down = False
        self.round_trip: float | None = None
        self.answers = self.failures = 0
        self.waited = 0.0

    @property
    def cost(self) -> float:
        """Return the seconds an answer is likely to take: the round trip, and a second for each silence since."""
        measured = _UNKNOWN if self.round_trip is None else self.round_trip
        return measured + self._faults // Fault.NO_ANSWER * _PENALTY

    @property
    def is_probe_due(self) -> bool:
        """Say whether it is time for a probe: of one that is down, or whose speed was last measured long ago."""
        return self._clock() >= self._next_probe

    def answered(self, started: float) -> bool:
        """Note a good answer to what was asked at `started`; return whether the upstream was down until now."""
        now = self._clock()
        took = now - started
        self.answers += 1
        self.waited += took
        known = self.round_trip
        self.round_trip = took if known is None else known + (took - known) / 8
        self._next_probe = now + _REMEASURE
        self._faults = 0
        self._pause = _FIRST_PROBE
        was_down, self.is_down = self.is_down, False
        return was_down

    def failed(self, fault: Fault) -> bool:
        """Note a failure; return whether this marks the upstream as down."""
        self.failures += 1
        self._faults += fault
        # One lost packet costs a good upstream its place only until the next probe.
        self._next_probe = min(self._next_probe, self._clock() + self._pause)
        if self.is_down or self._faults < _PATIENCE:
            return False
        self.is_down = True
        self._next_probe = self._clock() + self._pause
        return True

    def probing(self) -> None:
        """Note that a probe is sent; the next one is due after twice the pause, half a minute at most."""
        self._next_probe = self._clock() + self._pause
        self._pause = min(_LAST_PROBE, 2 * self._pause)
