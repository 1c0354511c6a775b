"""The list server of the feed tests, in a thread of its own: a command runs an event loop itself."""

import asyncio
import threading

from tests.feeds.list_server import ListServer


class ListThread:
    """Runs a `ListServer` on an event loop of its own; `serve` may be called from any thread."""

    def __init__(self) -> None:
        self.server = ListServer()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        async with self.server:
            self._started.set()
            await self._end.wait()

    def url(self, path: str = "list") -> str:
        """Return the URL of a path, by address: nothing is looked up."""
        return self.server.url(path, "127.0.0.1")

    def __enter__(self) -> "ListThread":
        """Start it and wait until it listens."""
        self._thread.start()
        assert self._started.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        """End its loop."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(5)
