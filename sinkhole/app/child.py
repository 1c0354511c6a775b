"""One child process of the supervisor: its pid, its signs of life, and when it may be started again."""

import os
from dataclasses import dataclass, field

FIRST_DELAY = 0.05
LONGEST_DELAY = 5.0
LONGEST_DELAY_AFTER_SERVICE = 0.4
"""Seconds, for a child that got as far as serving: nobody answers meanwhile, so that is worth more than the work."""
STEADY_AFTER = 10.0
"""Seconds a child must live before its next death counts as the first again."""
READY = b"r"
BEAT = b"."


@dataclass(slots=True)
class Backoff:
    """Seconds to wait before the next start: doubled with each early death, forgotten after a steady life."""

    delay: float = 0.0

    def after_death(self, lived: float, *, has_served: bool = False) -> float:
        """Return the seconds to wait, given how long the child lived and whether it became ready."""
        if lived >= STEADY_AFTER:
            self.delay = 0.0
        wait, self.delay = self.delay, min(LONGEST_DELAY, max(FIRST_DELAY, self.delay * 2))
        return min(wait, LONGEST_DELAY_AFTER_SERVICE) if has_served else wait


@dataclass(slots=True)
class Child:
    """A running child. `status` is the read end of the pipe it writes `READY` once and `BEAT` each second into."""

    name: str
    pid: int
    status: int
    started: float
    is_ready: bool = False
    last_beat: float = 0.0
    retiring: bool = field(default=False)

    def read_status(self, now: float) -> bool:
        """Take in what the child wrote; return whether it became ready with this."""
        try:
            said = os.read(self.status, 4096)
        except BlockingIOError:
            return False
        if said:
            self.last_beat = now
        became_ready = READY in said and not self.is_ready
        self.is_ready = self.is_ready or READY in said
        return became_ready

    def silent_for(self, now: float) -> float:
        """Return the seconds since its last sign of life."""
        return now - max(self.last_beat, self.started)

    def close(self) -> None:
        """Forget the pipe of a child that is gone."""
        os.close(self.status)
