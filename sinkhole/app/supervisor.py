"""The supervisor: binds, starts the control process and the workers, restarts what dies, and does nothing else.

It is plain and synchronous: no event loop, no thread, no library state, so that it may fork at any time. It never
touches a packet, the store or a feed.
"""

import os
import signal
import time
from collections.abc import Callable

from sinkhole.app import data_dir
from sinkhole.app.caught import CaughtSignals, send_signal
from sinkhole.app.child import Child
from sinkhole.app.children import Children, Death
from sinkhole.app.collection import set_aside
from sinkhole.app.compiled import ensure_policy
from sinkhole.app.launcher import CONTROL, PAGE, Launcher, is_worker, worker_names
from sinkhole.app.listeners import Listeners
from sinkhole.app.local_socket import bind_control
from sinkhole.app.notify import Notifier
from sinkhole.app.page_listeners import PageListeners
from sinkhole.app.privileges import drop_privileges
from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, SinkholeError
from sinkhole.log import Log

CONTROL_FLUSH = 1.5
"""Seconds that the control process gets at a stop to write the last hits, and what the workers left of their time."""
_LONGEST_WAIT = 1.0


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
        self._page = PageListeners()
        self._notifier = Notifier(os.environ)
        self._was_ready = False

    def run(self) -> int:
        """Serve; return the exit status.

        Raises:
            ConfigError, ListenError: it cannot start; nothing was left behind.
        """
        data_dir.prepare(self._folder)
        lock = data_dir.lock(self._folder)
        try:
            self._listeners.open(self._settings.server.listen, self._settings.server.workers)
            self._page.open(self._settings)
            control_socket = bind_control(self._folder)
            drop_privileges(self._settings.server.user, self._folder)
            ensure_policy(self._folder, self._settings)
            launcher = Launcher(self._listeners, control_socket, self._page)
            self._signals = CaughtSignals()
            self._children = Children(lambda name: launcher.launch(name, self._settings))
            set_aside()
            for name in self._wanted():
                self._children.start(name)
            self._watch()
            return self._stop()
        finally:
            self._listeners.close()
            self._page.close()
            os.close(lock)

    def _wanted(self) -> tuple[str, ...]:
        """Return the names of the children that there should be."""
        page = (PAGE,) if self._settings.block_page.enabled else ()
        return (CONTROL, *worker_names(self._settings.server.workers), *page)

    def _watch(self) -> None:
        """Restart, reload and keep watch until a signal says stop."""
        longest = self._notifier.watchdog_interval or _LONGEST_WAIT
        while True:
            wait = self._children.seconds_to_next(min(_LONGEST_WAIT, longest))
            for child in self._children.wait(wait, self._signals.fd):
                self._on_ready(child)
            for death in self._children.reap():
                self._on_death(death)
            self._children.kill_hung()
            self._children.start_due()
            caught = self._signals.take()
            if signal.SIGTERM in caught or signal.SIGINT in caught:
                return
            if signal.SIGHUP in caught:
                self._reconfigure()
            if any(child.is_ready for child in self._children.workers()):
                self._notifier.send("WATCHDOG=1")

    def _on_ready(self, child: Child) -> None:
        self._log.info("process.ready", process=child.name, pid=child.pid)
        for other in self._children.named(child.name):
            if other.started < child.started and not other.retiring:
                self._children.retire(other)
        needed = [other for other in self._children.all() if other.name != PAGE]
        if self._was_ready or not all(other.is_ready for other in needed):
            return
        self._was_ready = True
        self._log.info("server.ready", listen=" ".join(self._listeners.bound()), workers=self._settings.server.workers)
        self._notifier.send("READY=1")

    def _on_death(self, death: Death) -> None:
        child = death.child
        if not child.retiring:
            self._children.start_again(death)
            if not child.is_ready and is_worker(child.name):
                self._mend_policy()
        elif not is_worker(child.name) and child.name in self._wanted():
            self._children.start(child.name)

    def _mend_policy(self) -> None:
        """See to it that what kept a worker from starting is not the compiled policy."""
        try:
            if ensure_policy(self._folder, self._settings):
                self._have_applied()
        except (SinkholeError, OSError) as error:
            self._log.error("policy.not_mended", why=error)

    def _have_applied(self) -> None:
        """Let the control process compile what the store says."""
        for child in self._children.named(CONTROL):
            send_signal(child.pid, signal.SIGHUP)

    def _reconfigure(self) -> None:
        """Take a changed configuration in; a mistake changes nothing."""
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
                self._have_applied()
        self._notifier.send("READY=1")

    def _replace_all(self, settings: Settings) -> None:
        """Start new workers on the same sockets; each old one drains once its successor is ready."""
        old = self._children.all()
        self._settings = settings
        self._page.open(settings)
        names = worker_names(settings.server.workers)
        for name in names:
            self._children.start(name)
        for child in old:
            if child.name not in names:  # the control process starts again when the old one is gone: one writer
                self._children.retire(child)
        if PAGE in self._wanted() and all(child.name != PAGE for child in old):
            self._children.start(PAGE)
        self._children.forget_due(self._wanted())
        self._listeners.keep_only(settings.server.listen)

    def _stop(self) -> int:
        """Let the workers drain, then the control process write the last hits; kill what outstays its time."""
        self._log.info("server.stopping")
        self._notifier.send("STOPPING=1")
        for page in self._children.named(PAGE):
            self._children.retire(page)  # now: nobody waits for it, and it has the longest to end
        workers = self._children.workers()
        drain = self._settings.server.drain_timeout + 0.5
        began = time.monotonic()
        clean = self._children.end(workers, drain, self._signals.fd)
        rest = [child for child in self._children.all() if child not in workers]
        saved = max(0.0, drain - (time.monotonic() - began))
        clean &= self._children.end(rest, CONTROL_FLUSH + saved, self._signals.fd)
        self._log.info("server.stopped", clean=clean)
        return 0
