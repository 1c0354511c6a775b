"""The children of the supervisor: which run, what they say of themselves, and when the dead are started again."""

import os
import select
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sinkhole.app.caught import send_signal
from sinkhole.app.child import Backoff, Child
from sinkhole.app.launcher import is_worker
from sinkhole.log import Log

HUNG_AFTER = 15.0
"""Seconds without a sign of life after which a worker is killed and started again."""
CONTROL_HUNG_AFTER = 60.0
"""The same of the control process and the block page; nobody waits for them."""
READY_WITHIN = 10.0
"""Seconds a worker may take to load a new configuration before the old worker stays in its place."""
_NO_ROOM_DELAY = 1.0
"""Seconds until the next try when the system has no process or descriptor left."""


@dataclass(frozen=True, slots=True)
class Death:
    """A child that is gone, and its exit code (negative: the signal)."""

    child: Child
    code: int


class Children:
    """The table of children.

    Args:
        launch: starts a child by name; raises OSError.
    """

    def __init__(self, launch: Callable[[str], Child]) -> None:
        self._launch = launch
        self._running: dict[int, Child] = {}
        self._backoffs: dict[str, Backoff] = {}
        self._due: dict[str, float] = {}
        self._log = Log("supervisor")

    def all(self) -> list[Child]:
        """Return the children that run."""
        return list(self._running.values())

    def workers(self) -> list[Child]:
        """Return the workers that run."""
        return [child for child in self.all() if is_worker(child.name)]

    def named(self, name: str) -> list[Child]:
        """Return those of a name: one, or during a reload a few."""
        return [child for child in self.all() if child.name == name]

    def runs(self, child: Child) -> bool:
        """Whether a child has not been reaped yet."""
        return child.pid in self._running

    def start(self, name: str) -> None:
        """Start a child now, or as soon as the system has room for it."""
        self._due.pop(name, None)
        try:
            child = self._launch(name)
        except OSError as error:
            self._log.error("process.not_started", process=name, why=error.strerror, again_in_s=_NO_ROOM_DELAY)
            self._due[name] = time.monotonic() + _NO_ROOM_DELAY
        else:
            self._running[child.pid] = child

    def start_again(self, death: Death) -> None:
        """Start a child that died in its place, after the wait it has earned; unless its successor is there."""
        child, now = death.child, time.monotonic()
        if self.named(child.name):
            return
        backoff = self._backoffs.setdefault(child.name, Backoff())
        wait = backoff.after_death(now - child.started, has_served=child.is_ready)
        self._log.error(
            "process.died", process=child.name, pid=child.pid, status=death.code, restart_in_s=round(wait, 2)
        )
        self._due[child.name] = now + wait

    def start_due(self) -> None:
        """Start those whose wait is over."""
        for name in [name for name, at in self._due.items() if at <= time.monotonic()]:
            self.start(name)

    def seconds_to_next(self, most: float) -> float:
        """Return the seconds until a start is due, at most `most`."""
        return max(0.0, min([most, *(at - time.monotonic() for at in self._due.values())]))

    def forget_due(self, keep: Collection[str]) -> None:
        """Start none again but those of these names."""
        self._due = {name: at for name, at in self._due.items() if name in keep}

    def wait(self, seconds: float, wake: int) -> list[Child]:
        """Sleep until something happens, or `wake` can be read; return the children that became ready."""
        poll = select.poll()
        pipes = {child.status: child for child in self.all()}
        for fd in (wake, *pipes):
            poll.register(fd, select.POLLIN)
        became_ready = []
        for fd, event in poll.poll(seconds * 1000):
            if fd == wake:
                continue
            if pipes[fd].read_status(time.monotonic()):
                became_ready.append(pipes[fd])
            elif event & select.POLLHUP and not event & select.POLLIN:
                time.sleep(0.002)  # the child is dying: its exit will be reaped, do not spin until then
        return became_ready

    def reap(self) -> list[Death]:
        """Take in the children that are gone."""
        deaths: list[Death] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return deaths
            if pid == 0:
                return deaths
            child = self._running.pop(pid, None)
            if child is not None:
                child.close()
                deaths.append(Death(child, os.waitstatus_to_exitcode(status)))

    def retire(self, child: Child) -> None:
        """Ask a child to end; nobody starts it again."""
        child.retiring = True
        send_signal(child.pid, signal.SIGTERM)

    def kill(self, child: Child, event: str, after: float) -> None:
        """End a child that does not do its duty, and say so."""
        self._log.error(event, process=child.name, pid=child.pid, after_s=after)
        send_signal(child.pid, signal.SIGKILL)

    def kill_hung(self) -> None:
        """End those that show no sign of life, and successors that do not become ready: the old one stays."""
        now = time.monotonic()
        for child in self.all():
            most = HUNG_AFTER if is_worker(child.name) else CONTROL_HUNG_AFTER
            if child.silent_for(now) > most:
                self.kill(child, "process.hung", most)
            elif now - child.started > READY_WITHIN and self._keeps_another(child):
                child.retiring = True
                self.kill(child, "process.not_ready", READY_WITHIN)

    def _keeps_another(self, child: Child) -> bool:
        """Whether an older child is only waiting for this one to become ready."""
        is_awaited = not child.is_ready and not child.retiring
        return is_awaited and any(other.started < child.started for other in self.named(child.name))

    def end(self, children: list[Child], seconds: float, wake: int) -> bool:
        """Ask children to end, kill those that outstay their time; return whether none did."""
        for child in children:
            self.retire(child)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(self.runs(child) for child in children):
            self.wait(0.05, wake)
            self.reap()
        left = [child for child in children if self.runs(child)]
        for child in left:
            self.kill(child, "process.killed", seconds)
        return not left
