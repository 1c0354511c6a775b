"""Signals as the supervisor takes them: a descriptor that wakes its poll, and a list of what came."""

import os
import signal
from contextlib import suppress

CAUGHT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class CaughtSignals:
    """Catches `CAUGHT` from its making on; `fd` becomes readable when one came."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._came: list[int] = []
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in CAUGHT:
            signal.signal(number, lambda caught, _frame: self._came.append(caught))

    def take(self) -> list[int]:
        """Return what came since the last call."""
        with suppress(BlockingIOError):
            os.read(self.fd, 4096)
        came, self._came = self._came, []
        return came


def forget_caught() -> None:
    """In a forked child: let signals have their usual effect."""
    signal.set_wakeup_fd(-1)
    for number in CAUGHT:
        signal.signal(number, signal.SIG_DFL)


def send_signal(pid: int, number: int) -> None:
    """Signal a child, which may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
