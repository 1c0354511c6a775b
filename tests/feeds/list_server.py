"""A real HTTP server on loopback that serves lists as a test says, well or badly."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import web

HOST = "lists.example.org"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ListServer:
    """Serves one port of 127.0.0.1; `seen` holds the requests, `addresses` what names are looked up as."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[web.Request] = []
        self.looked_up: list[str] = []
        self.addresses: dict[str, list[str]] = {HOST: ["127.0.0.1"]}
        self.port = 0
        self._answers: dict[str, Answer] = {}
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def resolve(self, host: str) -> list[str]:
        """Look up a name, as the upstreams would."""
        self.looked_up.append(host)
        return self.addresses.get(host, [])

    def url(self, path: str = "list", host: str = HOST) -> str:
        """Return the URL of a path."""
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/{path}"

    def answer(self, answer: Answer, path: str = "list") -> None:
        """Let a function answer a path."""
        self._answers[path] = answer

    def serve(self, body: bytes | str, path: str = "list", status: int = 200, **headers: str) -> None:
        """Serve a path; `Content_Type` and the like become headers."""
        octets = body.encode() if isinstance(body, str) else body
        named = {"Content-Type": "text/plain", **{name.replace("_", "-"): value for name, value in headers.items()}}

        async def send(request: web.Request) -> web.StreamResponse:
            return web.Response(body=octets, status=status, headers=named)

        self.answer(send, path)

    def serve_conditionally(self, body: bytes, etag: str, path: str = "list") -> None:
        """Serve a path, with 304 to those who have it."""

        async def send(request: web.Request) -> web.StreamResponse:
            if request.headers.get("If-None-Match") == etag:
                return web.Response(status=304, headers={"ETag": etag})
            return web.Response(body=body, headers={"ETag": etag, "Content-Type": "text/plain"})

        self.answer(send, path)

    def redirect(self, to: str, path: str = "list") -> None:
        """Redirect a path."""

        async def send(request: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": to} if to else {})

        self.answer(send, path)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        answer = self._answers.get(request.match_info["path"])
        return web.Response(status=404) if answer is None else await answer(request)


async def hang(request: web.Request) -> web.StreamResponse:
    """Send a first row, and then nothing."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"a.example.org\n")
    await asyncio.Event().wait()
    return response


async def drip(request: web.Request) -> web.StreamResponse:
    """Send an octet now and then, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"a")
        await asyncio.sleep(0.02)


async def cut_off(request: web.Request) -> web.StreamResponse:
    """Promise more octets than are sent, then reset the connection."""
    response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "text/plain"})
    await response.prepare(request)
    await response.write(b"cut-off.example.org\n")
    assert request.transport is not None
    request.transport.close()
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    """Send rows without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"endless.example.org\n" * 1000)
