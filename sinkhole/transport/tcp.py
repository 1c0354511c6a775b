"""The TCP listener: accepts connections and sheds them before anything else when descriptors run out (RFC 7766)."""

import asyncio
import errno
import os
import socket
from contextlib import suppress

from sinkhole.config.schema import TransportSettings
from sinkhole.transport.connection import Connection
from sinkhole.transport.connections import Connections
from sinkhole.transport.dispatch import Dispatch

_ACCEPTS = 32
"""Connections accepted in one turn of the event loop."""
_SHED = 8
"""Idle connections closed at once when descriptors run out."""
_REST = 1.0
"""Seconds without accepting when not even one descriptor is to be had."""
_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class TcpListener:
    """Answers the connections of one listening socket.

    Args:
        sock: listening and non-blocking; it stays the caller's and is not closed here.
        dispatch: what answers.
        settings: idle time-out and bounds.
        connections: the open connections of all listeners of a worker, bounded together; None: bounded alone.
    """

    def __init__(
        self,
        sock: socket.socket,
        dispatch: Dispatch,
        settings: TransportSettings,
        *,
        connections: Connections | None = None,
    ) -> None:
        self._sock = sock
        self._dispatch = dispatch
        self._max_queries = settings.queries_per_connection
        self._connections = Connections.from_settings(settings) if connections is None else connections
        self._starting: set[asyncio.Task[object]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._spare: int | None = None

    @property
    def connections(self) -> int:
        """The number of open connections, of all listeners that share the bounds."""
        return len(self._connections)

    def start(self) -> None:
        """Begin to accept, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._go_on()

    def stop(self) -> None:
        """Accept no more; open connections go on until `drain`."""
        if self._loop is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._loop = None
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self._close_spare()

    async def drain(self, timeout: float) -> None:
        """Read no more, answer the queries in hand, at most `timeout` seconds, and close all connections.

        Listeners that share their connections drain them together.
        """
        await asyncio.gather(*self._starting)
        await self._connections.finish(timeout)
        self._dispatch.flush_hits()

    def _on_acceptable(self) -> None:
        for _ in range(_ACCEPTS):
            try:
                sock, address = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._make_descriptors(error)
                else:
                    self._dispatch.log.warning("tcp.accept_failed", error=error)
                return
            self._open(sock, address[0])

    def _open(self, sock: socket.socket, host: str) -> None:
        network = self._dispatch.admit_stream(host)
        if network is None or not self._connections.make_room(network):
            sock.close()
            return
        sock.setblocking(False)
        connection = Connection(host, network, self._dispatch, self._max_queries, self._connections)
        self._connections.add(connection)
        loop = asyncio.get_running_loop()
        task: asyncio.Task[object] = loop.create_task(loop.connect_accepted_socket(lambda: connection, sock))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _make_descriptors(self, error: OSError) -> None:
        """Shed connections: idle ones, else the one that waits to be accepted."""
        self._dispatch.log.warning("tcp.shed", error=error, connections=len(self._connections))
        if self._connections.shed(_SHED):
            return
        self._close_spare()
        # With no descriptor left a waiting connection can be neither served nor refused, and wakes us for ever.
        with suppress(OSError):
            self._sock.accept()[0].close()
        self._spare = _open_spare()
        if self._spare is None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._sock.fileno())
            self._rest = loop.call_later(_REST, self._go_on)

    def _go_on(self) -> None:
        self._rest = None
        self._spare = _open_spare()
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._on_acceptable)

    def _close_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None


def _open_spare() -> int | None:
    """Open a descriptor only to have one to give up."""
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
