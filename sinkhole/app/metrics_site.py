"""Serve figures and health over HTTP: `/metrics`, `/healthz`, `/readyz`; nothing else, and nothing about anybody."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from sinkhole.app.bounded_site import BoundedSite, site_limits
from sinkhole.app.metrics import Tallies, store_families, worker_families
from sinkhole.app.openmetrics import CONTENT_TYPE, exposition
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.errors import FormError, ListenError, StoreError
from sinkhole.log import Log
from sinkhole.protocol.message import read_message, write_query
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.types import QType

ASK_WITHIN: Final = 1.0
SHUTDOWN_WITHIN: Final = 0.2
"""Seconds that a request in hand gets at a stop; the hits of that moment have the same time."""
MOST_CONNECTIONS: Final = 32
MOST_OF_CLIENT: Final = 8
KEEP_ALIVE: Final = 20.0
_LISTEN_AGAIN: Final = 5.0
_LOCAL_NAME: Final = "localhost"
"""Answered by every server without an upstream (RFC 6761, section 6.3), and never recorded."""

Status = Callable[[], dict[str, Any]]
"""What the control process knows of itself: `store`, `workers`, `generation`."""


class Figures:
    """Makes the answers.

    Args:
        keeper: opens the store.
        tallies: what was counted.
        status: how things stand.
    """

    def __init__(self, keeper: StoreKeeper, tallies: Tallies, status: Status) -> None:
        self._keeper = keeper
        self._tallies = tallies
        self._status = status

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for any site."""
        return [
            web.get("/metrics", self.metrics),
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
        ]

    async def metrics(self, _request: web.Request) -> web.Response:
        """Answer with all figures; those of the store are left out while it cannot be read."""
        status = self._status()
        self._tallies.note_workers(status["workers"])
        families = [*worker_families(status["workers"], status["generation"]), *self._tallies.families()]
        with suppress(StoreError):  # its keeper says so, and /readyz does
            families += await self._keeper.do(store_families)
        return web.Response(body=exposition(families).encode(), headers={"Content-Type": CONTENT_TYPE})

    async def healthz(self, _request: web.Request) -> web.Response:
        """Answer that this process runs."""
        return _plain(200, "alive")

    async def readyz(self, _request: web.Request) -> web.Response:
        """Answer whether hits can be stored, a policy is in force, and a worker answers a query; 503 and why not."""
        status = self._status()
        missing = [] if status["store"] == "open" else [f"the store is not open: {status['store']}"]
        if not any(worker["generation"] for worker in status["workers"]):
            missing.append("no worker has a policy in force")
        elif not await self._is_answered(status["workers"]):
            missing.append("no worker answers")
        return _plain(503 if missing else 200, "; ".join(missing) or "ready")

    async def _is_answered(self, workers: Sequence[Mapping[str, Any]]) -> bool:
        places = {(str(host), int(port)) for worker in workers for host, port in worker.get("listen", ())}
        for host, port in sorted(places):
            if await answers(host, port):
                return True
        return False


async def answers(host: str, port: int) -> bool:
    """Return whether an address answers a query, whatever it says: REFUSED is an answer too."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - comparing, not binding
    loop = asyncio.get_running_loop()
    number = random.getrandbits(16)
    query = write_query(Question(name_from_text(_LOCAL_NAME), QType.A), id=number)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        try:
            async with asyncio.timeout(ASK_WITHIN):
                await loop.sock_connect(sock, (host, port))
                await loop.sock_sendall(sock, query)
                return read_message(await loop.sock_recv(sock, 4096)).id == number
        except (OSError, FormError):
            return False


def _plain(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers={"Cache-Control": "no-store"})


async def serve(
    figures: Figures, listen: Sequence[str], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Serve on some addresses until cancelled; an address that is taken is tried again."""
    app = web.Application(client_max_size=1024)
    app.add_routes(figures.routes())
    app.on_response_prepare.append(_say_who)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=SHUTDOWN_WITHIN)
    await runner.setup()
    log = Log("metrics")
    site = BoundedSite(
        runner,
        site_limits(MOST_CONNECTIONS, MOST_OF_CLIENT),
        lambda count: log.warning("metrics.turned_away", connections=count),
        keepalive_timeout=KEEP_ALIVE,
    )
    try:
        waiting = list(listen)
        while waiting:
            waiting = [text for text in waiting if not _listen(site, text, log)]
            if waiting:
                await sleep(_LISTEN_AGAIN)
        await asyncio.Event().wait()
    finally:
        await site.stop()
        await runner.cleanup()
        await site.close()


async def _say_who(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "sinkhole"  # and no versions


def _listen(site: BoundedSite, text: str, log: Log) -> bool:
    try:
        bound = site.listen(text)
    except ListenError as error:
        log.error("metrics.not_listening", listen=text, why=error)
        return False
    log.info("metrics.listening", listen=bound)
    return True
