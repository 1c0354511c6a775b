"""The control process: the only writer of hits; syncs feeds, compiles policy, answers the command line.

Nothing a worker does waits for it. It starts even where the store cannot be opened, says so, and tries again.
"""

import asyncio
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from sinkhole.app.client_watch import ClientWatch
from sinkhole.app.collection import calm_collector, collect_now_and_then
from sinkhole.app.control_server import ControlServer
from sinkhole.app.data_dir import owner_of
from sinkhole.app.import_cleanup import clean_up_after_kill
from sinkhole.app.metrics import Tallies
from sinkhole.app.page_desk import PageDesk
from sinkhole.app.page_facts import publish_facts
from sinkhole.app.sightings import owned, waits_unseen
from sinkhole.app.stall import beat, until_orphaned
from sinkhole.app.state import audit_head, compile_state
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.app.sync_job import SyncJob
from sinkhole.config.schema import Settings, is_activity_kept, is_queue_kept
from sinkhole.errors import SinkholeError, StoreError
from sinkhole.log import Log, configure
from sinkhole.policy.activity import Activity
from sinkhole.policy.hit import rows_of_lots
from sinkhole.policy.sighting import Sighting
from sinkhole.store.recorder import HitBatch

LAST_BATCHES = 0.5
"""Seconds in which what the workers sent before they ended must be read at a stop."""
RETENTION_INTERVAL = 3600.0
SUM_INTERVAL = 60.0
"""Seconds between looks for hours that are over, which are counted for reports."""
REVIEW_INTERVAL = 10.0
"""Seconds between looks at whether a name waits for review that policy should know of."""
_ADMIN = "sinkhole.web.front"
_OUT, _METRICS = "sinkhole.app.out", "sinkhole.app.metrics_site"
"""Loaded where something leaves or is served: an HTTP library and its like are not for every installation."""
_CALM = 5
"""How much nicer than the workers it is: whoever asks for a name comes before who compiles one."""


class Control:
    """The parts of the control process, wired."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log = Log("control")
        self._store = StoreKeeper(settings)
        self._generation = 0
        self._clients = ClientWatch(settings, self._store, lambda: self._server.announce_clients())
        self._server = ControlServer(self._take_hits, self._request, self._clients.note_new)
        self._sync = SyncJob(settings, self._store, self._apply)
        self._page = PageDesk(self._store, self._clients.machine_at, self._clients.name_of, self._apply)
        self._tallies = Tallies()
        self._started = time.time()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, sock: socket.socket, lifeline: int, status: int) -> None:
        """Run until SIGTERM or until the supervisor is gone."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._apply_quietly()))
        listening = await self._server.serve(sock)
        jobs = (beat(status), self._keep_store(), self._clients.run(), self._retain(), self._watch_queue(),
                self._sum_up(), collect_now_and_then())  # fmt: skip
        for job in jobs:
            self._spawn(job)
        if self._settings.admin.enabled:
            self._spawn(self._serve_admin())
        for job in self._outward():
            self._spawn(job)
        self._spawn(self._die_with_supervisor(lifeline))
        await stop.wait()
        listening.close()
        await self._server.until_idle(LAST_BATCHES)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.close()

    def _outward(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what brings something to others, as far as the settings want it."""
        settings = self._settings
        if settings.out or settings.alerts.watch or settings.report_mail.every != "never":
            yield importlib.import_module(_OUT).Out(settings, self._store).run()
        if settings.metrics.listen:
            site = importlib.import_module(_METRICS)
            yield site.serve(self._figures(), settings.metrics.listen)

    def _figures(self) -> Any:
        return importlib.import_module(_METRICS).Figures(self._store, self._tallies, self._status)

    def _spawn(self, job: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(job)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("control.job_failed", why=repr(error))
            os.kill(os.getpid(), signal.SIGTERM)  # the supervisor starts us again, whole

    async def _keep_store(self) -> None:
        """Open the store, whenever it opens; from then on publish what it says and sync what is due."""
        await self._store.until_open()
        await self._log_audit_head()
        await self._clean_up_after_import()
        await self._apply_quietly()
        if self._settings.feeds.sync:
            await self._sync.run()

    async def _serve_admin(self) -> None:
        """Serve the admin side; whatever becomes of it, the rest goes on.

        It is loaded by name, in a thread: an installation without it, and the start of this process, do not pay for it.
        """
        try:
            front = await asyncio.to_thread(importlib.import_module, _ADMIN)
            await front.serve(self._settings, self._status, self._store.until_open, self._figures())
        except Exception:
            self._log.exception("admin.failed")

    async def _log_audit_head(self) -> None:
        """Note the end of the audit log where whoever can write to the store cannot: `sinkhole audit verify --head`."""
        with suppress(StoreError):  # the keeper says why, and opens it again
            self._log.info("audit.head", head=await self._store.do(audit_head))

    async def _clean_up_after_import(self) -> None:
        """Put back the files of an import that was killed; what the workers were started with may be among them."""
        try:
            if await self._store.do(clean_up_after_kill):
                self._log.warning("import.undone", why="it was killed before it was made")
                self._have_reloaded()
        except SinkholeError as error:
            self._log.error("import.not_undone", why=error)

    async def _apply_quietly(self) -> None:
        try:
            await self._apply()
        except SinkholeError as error:
            self._log.error("policy.not_compiled", why=error, instead="the last compiled policy")

    async def _apply(self) -> dict[str, Any]:
        """Compile what the store says, publish it, and wait until the workers have it in force."""
        compiled = await self._store.do(compile_state)
        self._generation = compiled.generation
        self._clients.take_policy()
        await self._publish_facts()
        late = await self._server.announce(compiled.generation)
        refused = {one.feed: str(one) for one in compiled.refused}
        return {"generation": compiled.generation, "late": late, "refused": refused}

    async def _publish_facts(self) -> None:
        """Let the block page know how things are called; without that it tells their ids."""
        if not self._settings.block_page.enabled:
            return
        try:
            await self._store.do(publish_facts)
        except SinkholeError as error:
            self._log.error("page.no_facts", why=error)

    async def _take_hits(self, worker: str, message: dict[str, Any]) -> bool:
        seen = owned(Sighting.from_json_row(row) for row in message.get("sightings", ()))
        asking = tuple(Activity.from_json_row(row) for row in message.get("clients", ()))
        kept = asking if is_activity_kept(self._settings) else ()
        rows = rows_of_lots(message["rows"])
        batch = HitBatch(worker, int(message["seq"]), rows, int(message["dropped"]), tuple(seen), kept)
        try:
            is_stored = await self._store.record(batch)
        except StoreError:
            return False  # the keeper said so once; the worker keeps the batch
        if is_stored:
            self._tallies.note_rows(rows)
            self._clients.note_asking(one.client for one in asking)
        return is_stored

    async def _request(self, message: dict[str, Any]) -> dict[str, Any]:
        match message["op"]:
            case "apply":
                return await self._apply()
            case "reload":
                return self._have_reloaded()
            case "status":
                return self._status()
            case "client":
                known = self._clients.known(str(message["address"]))
                return {"known": None if known is None else asdict(known)}
            case op if self._page.knows(op):
                return await self._page.answer(message)
            case unknown:
                raise SinkholeError(f"the server does not know the request {unknown!r}")

    def _status(self) -> dict[str, Any]:
        return {
            "started": self._started,
            "listen": self._settings.server.listen,
            "settings": self._settings.model_dump_json(),
            "store": self._store.state_in_words,
            "workers": self._server.workers,
            "generation": self._generation,
        }

    def _have_reloaded(self) -> dict[str, Any]:
        """Let the supervisor read the configuration and the local records again, and start new workers with them."""
        supervisor = os.getppid()
        if supervisor != owner_of(self._settings.server.data_dir):
            raise SinkholeError("the supervisor of the server is gone")
        os.kill(supervisor, signal.SIGHUP)
        return {}

    async def _retain(self) -> None:
        while True:
            await asyncio.sleep(RETENTION_INTERVAL)
            await self._store.retain()

    async def _sum_up(self) -> None:
        while True:
            await asyncio.sleep(SUM_INTERVAL)
            await self._store.sum_up()

    async def _watch_queue(self) -> None:
        while is_queue_kept(self._settings):
            await asyncio.sleep(REVIEW_INTERVAL)
            try:
                is_late = await self._store.do(waits_unseen)
            except StoreError:
                continue  # the keeper said so
            if is_late:
                await self._apply_quietly()

    async def _die_with_supervisor(self, lifeline: int) -> None:
        await until_orphaned(lifeline)
        self._log.error("control.orphaned")
        os._exit(1)


def main(arguments: list[str]) -> None:
    """Run as the supervisor started us: file descriptors of settings, socket, lifeline and status pipe."""
    settings_fd, socket_fd, lifeline, status = map(int, arguments)
    with os.fdopen(settings_fd) as file:
        settings = Settings.model_validate_json(file.read())
    configure(settings.server.log_level)
    for fd in (socket_fd, lifeline, status):
        os.set_inheritable(fd, False)
    os.nice(_CALM)
    calm_collector()  # else it walks the catalogue while somebody waits for a page
    asyncio.run(Control(settings).serve(socket.socket(fileno=socket_fd), lifeline, status))
    # All is written and closed. To take what a process holds apart, and to wait for a request or a sync that is under
    # way, may take longer than the supervisor waits.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
