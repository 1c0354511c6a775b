"""Start the supervisor's children: the control process and the block page by executing them, workers by forking."""

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from sinkhole.app import worker
from sinkhole.app.caught import CAUGHT, forget_caught
from sinkhole.app.child import Child
from sinkhole.app.listeners import Listeners
from sinkhole.app.page_listeners import PageListeners
from sinkhole.config.schema import Settings
from sinkhole.log import Log

CONTROL = "control"
PAGE = "page"
"""The block page; no answer and no other process waits for it."""
_WORKER = "worker-"


def worker_names(count: int) -> list[str]:
    """Return the names of so many workers."""
    return [f"{_WORKER}{slot}" for slot in range(count)]


def is_worker(name: str) -> bool:
    """Return whether a child of this name is a worker."""
    return name.startswith(_WORKER)


class Launcher:
    """Starts children, each with a pipe for its signs of life.

    A child has the read end of a further pipe, the lifeline, whose only writer is this process: it ends with us.

    Args:
        listeners: the sockets that workers serve.
        control_socket: the socket that the control process serves.
        page: the sockets that the block page serves.
    """

    def __init__(self, listeners: Listeners, control_socket: socket.socket, page: PageListeners) -> None:
        self._listeners = listeners
        self._page = page
        self._control_socket = control_socket
        self._lifeline = os.pipe2(os.O_CLOEXEC)
        self._log = Log("supervisor")

    def launch(self, name: str, settings: Settings) -> Child:
        """Start a child of this name.

        Raises:
            OSError: the system has no process or descriptor left.
        """
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if name == CONTROL:
                fds = (self._control_socket.fileno(), self._lifeline[0], write)
                pid = self._exec("sinkhole.app.control", settings, fds)
            elif name == PAGE:
                places = [(f"{scheme}:", sock.fileno()) for scheme, sock in self._page.all()]
                pid = self._exec("sinkhole.app.page", settings, (self._lifeline[0], write), places)
            else:
                pid = self._fork_worker(settings, int(name.removeprefix(_WORKER)), write)
        except OSError:
            os.close(read)
            raise
        finally:
            os.close(write)
        return Child(name, pid, read, time.monotonic())

    def _exec(
        self, module: str, settings: Settings, needed: Sequence[int], places: Sequence[tuple[str, int]] = ()
    ) -> int:
        """Execute a module with descriptors: of its settings, those needed, and those of places with a prefix each."""
        document = os.memfd_create("settings", os.MFD_CLOEXEC)
        os.write(document, settings.model_dump_json().encode())
        os.lseek(document, 0, os.SEEK_SET)
        fds = (document, *needed, *(fd for _, fd in places))
        words = [str(fd) for fd in (document, *needed)] + [f"{prefix}{fd}" for prefix, fd in places]
        command = [sys.executable, "-m", module, *words]
        for fd in fds:
            os.set_inheritable(fd, True)
        try:
            return os.posix_spawn(sys.executable, command, os.environ)
        finally:
            for fd in fds:
                os.set_inheritable(fd, False)
            os.close(document)

    def _fork_worker(self, settings: Settings, slot: int, status: int) -> int:
        # A signal that arrived in the child before it forgot our handlers would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, CAUGHT)
        try:
            pid = os.fork()
            if pid == 0:
                self._be_worker(settings, slot, status)
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, CAUGHT)

    def _be_worker(self, settings: Settings, slot: int, status: int) -> NoReturn:
        """In the child: let go of what belongs to the supervisor, serve, and never return."""
        code = 1
        try:
            forget_caught()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, CAUGHT)
            os.close(self._lifeline[1])
            self._control_socket.close()
            self._page.close()
            workers = settings.server.workers
            self._listeners.close_others(slot, workers)
            code = worker.run(settings, slot, self._listeners.of(slot, workers), self._lifeline[0], status)
        except Exception:
            self._log.exception("worker.failed", slot=slot)
        finally:
            os._exit(code)
