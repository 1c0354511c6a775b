"""A scripted DNS-over-HTTPS server on loopback, HTTP/2, in the h2 library: a stranger to the client under test."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions

HOST = "127.0.0.1"
DNS = "application/dns-message"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its header fields in lower case, and its body."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": DNS})


class FakeDoh:
    """Answer requests as `handler` says; None: never. With `closes`, the connection ends after each response."""

    def __init__(
        self, handler: Callable[[bytes], Response | None], tls: ssl.SSLContext, *, closes: bool = False, port: int = 0
    ) -> None:
        self.handler = handler
        self.closes = closes
        self.requests: list[Request] = []
        self.connections = 0
        self.port = port
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, HOST, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        headers: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytearray] = {}
        unsent: dict[int, memoryview] = {}
        has_answered = False
        try:
            with contextlib.suppress(ConnectionError, h2.exceptions.ProtocolError):
                while True:
                    writer.write(connection.data_to_send())
                    await writer.drain()
                    data = await reader.read(65536)
                    if not data:
                        return
                    for event in connection.receive_data(data):
                        if isinstance(event, h2.events.RequestReceived):
                            headers[event.stream_id] = {str(key): str(value) for key, value in event.headers}
                            bodies[event.stream_id] = bytearray()
                        elif isinstance(event, h2.events.DataReceived):
                            bodies[event.stream_id] += event.data
                        elif isinstance(event, h2.events.StreamReset):
                            unsent.pop(event.stream_id, None)
                        elif isinstance(event, h2.events.StreamEnded):
                            request = Request(headers[event.stream_id], bytes(bodies[event.stream_id]))
                            self.requests.append(request)
                            response = self.handler(request.body)
                            if response is not None:
                                fields = [(":status", str(response.status)), *response.headers.items()]
                                connection.send_headers(event.stream_id, fields)
                                unsent[event.stream_id] = memoryview(response.body)
                                has_answered = True
                    _send_what_fits(connection, unsent)
                    if self.closes and has_answered and not unsent:
                        writer.write(connection.data_to_send())
                        return
        finally:
            writer.close()


def _send_what_fits(connection: h2.connection.H2Connection, unsent: dict[int, memoryview]) -> None:
    for stream, body in tuple(unsent.items()):
        while body and (room := min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size)):
            connection.send_data(stream, bytes(body[:room]))
            body = body[room:]
        unsent[stream] = body
        if not body:
            connection.end_stream(stream)
            del unsent[stream]
