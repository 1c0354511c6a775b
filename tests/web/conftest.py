"""The admin side over a data folder of its own, on a real socket, in a thread: one for a whole file."""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from sinkhole.app import data_dir
from sinkhole.app.accounts import create_account, token_store
from sinkhole.app.bounded_site import BoundedSite, site_limits
from sinkhole.app.metrics import Tallies
from sinkhole.app.metrics_site import Figures
from sinkhole.app.passwords import Passwords
from sinkhole.app.state import State, compile_state, open_state
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.out_schema import OutSettings
from sinkhole.config.schema import AdminSettings, FeedSettings, ServerSettings, Settings, UpstreamSettings
from sinkhole.web.context import Context, make_context
from sinkhole.web.front import CONNECTION
from sinkhole.web.pages.route import PageRoute
from sinkhole.web.pages.table import PAGES
from sinkhole.web.site import make_site

PASSWORD = "correct horse battery"
HASHES = Passwords(PasswordHasher.from_parameters(CHEAPEST))
"""Of a thousandth of the work: what is tested is not argon2."""
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that need none: to read whom the system trusts takes each of them 40 ms."""


class Client(httpx.Client):
    """A client that may have been used before it is entered, and is closed with the site at the latest."""

    def __enter__(self) -> "Client":
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class Site:
    """A site that is served; requests are made by `client`."""

    def __init__(self, folder: Path, admin: AdminSettings, pages: tuple[PageRoute, ...] = ()) -> None:
        self._pages = pages
        self.settings = Settings(
            server=ServerSettings(data_dir=folder, listen=("127.0.0.1:0",)),
            upstream=UpstreamSettings(servers=("udp://127.0.0.1:9",)),
            feeds=FeedSettings(sync=False),
            admin=admin,
            out=(OutSettings(name="hook", kind="webhook", target="https://hook.example.org/sesame?key=sesame"),),
        )
        self.context: Context
        self.url = ""
        self._clients: list[Client] = []
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Make the folder, compile policy and serve."""
        data_dir.prepare(self.settings.server.data_dir)
        with self.state() as state:
            compile_state(state)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        told = {"started": time.time(), "listen": ["127.0.0.1:5300"], "generation": 1, "store": "open", "workers": []}
        keeper = StoreKeeper(self.settings)
        self.context = make_context(self.settings, lambda: told, HASHES, Figures(keeper, Tallies(), lambda: told))
        runner = web.AppRunner(make_site(self.context, (*PAGES, *self._pages)), shutdown_timeout=0.2)
        await runner.setup()
        site = BoundedSite(runner, site_limits(256, 256), lambda _: None, **CONNECTION)
        self.url = f"http://{site.listen('127.0.0.1:0')}"
        self._ready.set()
        await self._end.wait()
        await site.stop()
        await runner.cleanup()
        await site.close()
        self.context.work.close()
        self.context.syncing.close()
        await keeper.close()

    def stop(self) -> None:
        """End it."""
        for client in self._clients:
            client.close()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    @contextmanager
    def state(self) -> Iterator[State]:
        """Give the state of its folder, as the command line has it."""
        state = open_state(self.settings, "tester")
        try:
            yield state
        finally:
            state.close()

    def token(self, *scopes: str) -> str:
        """Make a token."""
        now = datetime.now(UTC)
        with self.state() as state:
            name = f"t{len(token_store(state).all())}"
            return token_store(state).create(name, scopes, now + timedelta(days=1), now)

    def account(self, name: str, role: str = "manage") -> str:
        """Make an account with `PASSWORD`."""
        with self.state() as state:
            return create_account(state, name, role, PASSWORD, HASHES).name

    def client(self, token: str | None = None) -> Client:
        """Return a client that knows nothing but a token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._clients.append(Client(base_url=self.url, headers=headers, timeout=20, verify=_NO_TLS))
        return self._clients[-1]

    def browser(self, name: str | None = None, password: str = PASSWORD) -> Client:
        """Return a client that behaves as a browser with a page of ours open, logged in unless there is no name."""
        client = self.client()
        client.headers.update({"Origin": self.url, "Sec-Fetch-Site": "same-origin"})
        if name is not None:
            done = client.post("/api/v1/session", json={"name": name, "password": password})
            assert done.status_code == 204, done.text
        return client


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site; with the file's `ADMIN` settings and its own `PAGES_BESIDE` if it has them."""
    own = request.module
    folder = tmp_path_factory.mktemp("web") / "data"
    found = Site(folder, getattr(own, "ADMIN", AdminSettings()), getattr(own, "PAGES_BESIDE", ()))
    found.start()
    yield found
    found.stop()
