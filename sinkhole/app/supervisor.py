"""The supervisor: binds, starts the control process and the workers, restarts what dies, and does nothing else.

It is plain and synchronous: no event loop, no thread, no library state, so that it may fork at any time. It never
touches a packet, the store or a feed.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from sinkhole.app import data_dir, worker
from sinkhole.app.child import Backoff, Child
from sinkhole.app.compiled import ensure_policy
from sinkhole.app.listeners import Listeners
from sinkhole.app.local_socket import bind_control
from sinkhole.app.notify import Notifier
from sinkhole.app.privileges import drop_privileges
from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, SinkholeError
from sinkhole.log import Log

CONTROL = "control"
HUNG_AFTER = 15.0
"""Seconds without a sign of life after which a worker is killed and started again."""
CONTROL_FLUSH = 1.5
"""Seconds that the control process gets to write the last hits at a stop."""
READY_WITHIN = 10.0
"""Seconds a worker may take to load a new configuration before the old worker stays in its place."""
_CAUGHT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Supervisor:
    """Run the server of one data folder until SIGTERM.

    Args:
        settings: the checked configuration.
        reload: reads the configuration again, for SIGHUP; raises ConfigError.
    """

    def __init__(self, settings: Settings, reload: Callable[[], Settings]) -> None:
        self._settings = settings
        self._reload = reload
        self._log = Log("supervisor")
        self._folder = settings.server.data_dir
        self._listeners = Listeners()
        self._children: dict[int, Child] = {}
        self._backoffs: dict[str, Backoff] = {}
        self._due: dict[str, float] = {}
        self._signals: list[int] = []
        self._notifier = Notifier(os.environ)
        self._was_ready = False
        self._stopping = False

    def run(self) -> int:
        """Serve; return the exit status.

        Raises:
            ConfigError, ListenError: it cannot start; nothing was left behind.
        """
        data_dir.prepare(self._folder)
        lock = data_dir.lock(self._folder)
        try:
            self._listeners.open(self._settings.server.listen, self._settings.server.workers)
            self._control_socket = bind_control(self._folder)
            drop_privileges(self._settings.server.user, self._folder)
            ensure_policy(self._folder, self._settings)
            self._lifeline = os.pipe2(os.O_CLOEXEC)
            self._wake = self._catch_signals()
            self._start(CONTROL)
            for slot in range(self._settings.server.workers):
                self._start(f"worker-{slot}")
            self._watch()
            return self._stop()
        finally:
            self._listeners.close()
            os.close(lock)

    def _catch_signals(self) -> int:
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in _CAUGHT:
            signal.signal(number, lambda caught, _frame: self._signals.append(caught))
        return read

    # Watching -----------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Restart, reload and keep watch until a signal says stop."""
        while True:
            self._wait(self._next_wait())
            self._reap()
            self._kill_hung()
            for name in [name for name, at in self._due.items() if at <= time.monotonic()]:
                del self._due[name]
                self._start(name)
            caught, self._signals = self._signals, []
            if signal.SIGTERM in caught or signal.SIGINT in caught:
                return
            if signal.SIGHUP in caught:
                self._reconfigure()
            if any(child.is_ready for child in self._workers()):
                self._notifier.send("WATCHDOG=1")

    def _next_wait(self) -> float:
        now = time.monotonic()
        waits = [self._notifier.watchdog_interval or 1.0, *(at - now for at in self._due.values())]
        return max(0.0, min(1.0, *waits))

    def _wait(self, seconds: float) -> None:
        """Sleep until something happens, and read what the children say of themselves."""
        poll = select.poll()
        pipes = {child.status: child for child in self._children.values()}
        for fd in (self._wake, *pipes):
            poll.register(fd, select.POLLIN)
        for fd, event in poll.poll(seconds * 1000):
            if fd == self._wake:
                with suppress(BlockingIOError):
                    os.read(fd, 4096)
            elif pipes[fd].read_status(time.monotonic()):
                self._on_ready(pipes[fd])
            elif event & select.POLLHUP and not event & select.POLLIN:
                time.sleep(0.002)  # the child is dying: its exit will be reaped, do not spin until then

    def _on_ready(self, child: Child) -> None:
        self._log.info("process.ready", process=child.name, pid=child.pid)
        for old in self._workers():
            if old.name == child.name and old.pid != child.pid and not old.retiring:
                old.retiring = True
                _signal(old.pid, signal.SIGTERM)
        if self._was_ready or not all(c.is_ready for c in self._children.values()):
            return
        self._was_ready = True
        self._log.info("server.ready", listen=" ".join(self._listeners.bound()), workers=self._settings.server.workers)
        self._notifier.send("READY=1")

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is None:
                continue
            child.close()
            if not child.retiring:
                self._restart(child, os.waitstatus_to_exitcode(status))
            elif child.name == CONTROL and not self._stopping:
                self._start(CONTROL)

    def _restart(self, child: Child, code: int) -> None:
        if any(other.name == child.name for other in self._children.values()):
            return  # its successor is already there
        wait = self._backoffs.setdefault(child.name, Backoff()).after_death(time.monotonic() - child.started)
        self._log.error("process.died", process=child.name, pid=child.pid, status=code, restart_in_s=round(wait, 2))
        self._due[child.name] = time.monotonic() + wait

    def _kill_hung(self) -> None:
        now = time.monotonic()
        for child in self._workers():
            if now - max(child.last_beat, child.started) > HUNG_AFTER:
                self._log.error("process.hung", process=child.name, pid=child.pid)
                _signal(child.pid, signal.SIGKILL)

    def _workers(self) -> list[Child]:
        return [child for child in self._children.values() if child.name != CONTROL]

    # Starting -----------------------------------------------------------------------------------------------------

    def _start(self, name: str) -> None:
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            pid = self._exec_control(write) if name == CONTROL else self._fork_worker(int(name[7:]), write)
        finally:
            os.close(write)
        self._children[pid] = Child(name, pid, read, time.monotonic())

    def _exec_control(self, status: int) -> int:
        settings = os.memfd_create("settings", os.MFD_CLOEXEC)
        os.write(settings, self._settings.model_dump_json().encode())
        os.lseek(settings, 0, os.SEEK_SET)
        fds = (settings, self._control_socket.fileno(), self._lifeline[0], status)
        command = [sys.executable, "-m", "sinkhole.app.control", *(str(fd) for fd in fds)]
        for fd in fds:
            os.set_inheritable(fd, True)
        try:
            return os.posix_spawn(sys.executable, command, os.environ)
        finally:
            for fd in fds:
                os.set_inheritable(fd, False)
            os.close(settings)

    def _fork_worker(self, slot: int, status: int) -> int:
        # A signal that arrived in the child before it forgot our handlers would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _CAUGHT)
        pid = os.fork()
        if pid == 0:
            self._be_worker(slot, status)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _CAUGHT)
        return pid

    def _be_worker(self, slot: int, status: int) -> NoReturn:
        """In the child: let go of what belongs to the supervisor, serve, and never return."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _CAUGHT:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _CAUGHT)
            os.close(self._lifeline[1])
            self._control_socket.close()
            self._listeners.close_others(slot)
            code = worker.run(self._settings, slot, self._listeners.of(slot), self._lifeline[0], status)
        except Exception:
            self._log.exception("worker.failed", slot=slot)
        finally:
            os._exit(code)

    # Reloading ----------------------------------------------------------------------------------------------------

    def _reconfigure(self) -> None:
        """Take a changed configuration in: new workers first, then the old ones drain; a mistake changes nothing."""
        self._notifier.send("RELOADING=1")
        try:
            settings = self._reload()
            if settings.server.data_dir != self._folder:
                raise ConfigError("config: server.data_dir: cannot change while the server runs; restart it")
            if settings != self._settings:
                self._listeners.open(settings.server.listen, settings.server.workers)
        except SinkholeError as error:
            self._log.error("config.refused", why=error)
        else:
            self._log.info("config.reloaded", changed=settings != self._settings)
            if settings != self._settings:
                self._replace_all(settings)
            else:
                for child in self._children.values():
                    if child.name == CONTROL:
                        _signal(child.pid, signal.SIGHUP)
        self._notifier.send("READY=1")

    def _replace_all(self, settings: Settings) -> None:
        old = list(self._children.values())
        self._settings = settings
        wanted = {f"worker-{slot}" for slot in range(settings.server.workers)}
        for name in sorted(wanted):
            self._start(name)
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and any(not c.is_ready and c not in old for c in self._workers()):
            self._wait(0.1)
        for child in self._workers():
            if child not in old and not child.is_ready:
                self._log.error("process.not_ready", process=child.name, pid=child.pid, after_s=READY_WITHIN)
                child.retiring = True
                _signal(child.pid, signal.SIGKILL)
        for child in old:
            if child.name not in wanted:  # the control process starts again when the old one is gone: one writer
                child.retiring = True
                _signal(child.pid, signal.SIGTERM)
        self._listeners.keep_only(settings.server.listen, settings.server.workers)

    # Stopping -----------------------------------------------------------------------------------------------------

    def _stop(self) -> int:
        """Let the workers drain, then the control process write the last hits; kill what outstays its time."""
        self._stopping = True
        self._log.info("server.stopping")
        self._notifier.send("STOPPING=1")
        workers = self._workers()
        clean = self._end(workers, self._settings.server.drain_timeout + 0.5)
        clean &= self._end([c for c in self._children.values() if c not in workers], CONTROL_FLUSH)
        self._log.info("server.stopped", clean=clean)
        return 0

    def _end(self, children: list[Child], seconds: float) -> bool:
        for child in children:
            child.retiring = True
            _signal(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(child.pid in self._children for child in children):
            self._wait(0.05)
            self._reap()
        left = [child for child in children if child.pid in self._children]
        for child in left:
            self._log.error("process.killed", process=child.name, pid=child.pid, after_s=seconds)
            _signal(child.pid, signal.SIGKILL)
        return not left


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
