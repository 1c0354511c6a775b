"""The UDP listener: drains its socket in batches, answers what it can at once, and makes tasks of the rest.

Not an asyncio datagram protocol: one callback, one reply and one turn of the event loop a packet cost ten times what
answering from the packet cache does.
"""

import asyncio
import socket
from collections.abc import Coroutine
from functools import partial
from typing import Any

from sinkhole.transport.datagram import BATCH, Control, Datagram, Source, wrap_socket
from sinkhole.transport.dispatch import Dispatch, Later, Reply

_BATCHES = 4
"""Batches taken in one turn of the event loop, so that streams and waiting queries get theirs."""
_MAX_WAITING = 20_000
"""Datagrams being resolved. The upstream limits bite long before; this bounds memory whatever else fails."""


class UdpListener:
    """Answers datagrams of one socket.

    Args:
        sock: bound and non-blocking; it stays the caller's and is not closed here.
        dispatch: what answers.
    """

    def __init__(self, sock: socket.socket, dispatch: Dispatch) -> None:
        self._fd = sock.fileno()
        self._socket = wrap_socket(sock, dispatch.log)
        self._dispatch = dispatch
        self._waiting: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: asyncio.Future[None] | None = None
        self._unfinished = 0
        self._finished_replies: list[Datagram] = []

    def start(self) -> None:
        """Begin to read, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._on_readable)

    def stop(self) -> None:
        """Read no more; what the socket still holds is left to whoever else holds it."""
        if self._loop is not None:
            self._loop.remove_reader(self._fd)
            self._loop = None

    async def drain(self, timeout: float) -> None:
        """Wait until the queries in hand are answered, at most `timeout` seconds; then give up on the rest."""
        await asyncio.gather(self._drain_tasks(timeout), self._drain_steps(timeout))
        self._send_finished()
        self._dispatch.flush_hits()

    async def _drain_tasks(self, timeout: float) -> None:
        if self._waiting:
            _, late = await asyncio.wait(self._waiting, timeout=timeout)
            for task in late:
                task.cancel()

    async def _drain_steps(self, timeout: float) -> None:
        if self._unfinished:
            self._idle = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._idle}, timeout=timeout)

    def _on_readable(self) -> None:
        dispatch = self._dispatch
        cached = dispatch.cached
        dispatch.tick()
        for _ in range(_BATCHES):
            batch = self._socket.receive()
            replies: list[Datagram] = []
            for data, source, control in batch:
                reply = cached(data, source[0])
                if reply is None:
                    reply = self._answer(data, source, control)
                    if reply is None:
                        continue
                replies.append((reply, source, control))
            if replies:
                self._socket.send(replies)
            if len(batch) < BATCH:
                break
        dispatch.settle()

    def _answer(self, data: bytes, source: Source, control: Control) -> Reply:
        if self._unfinished >= _MAX_WAITING:
            self._dispatch.log.warning("udp.too_many_waiting", limit=_MAX_WAITING)
            return None
        outcome = self._dispatch.datagram(data, source[0])
        if outcome is None or isinstance(outcome, bytes):
            return outcome
        if isinstance(outcome, Later):
            self._unfinished += 1
            outcome.send = partial(self._finished, source, control)
            return None
        if len(self._waiting) >= _MAX_WAITING:
            outcome.close()
            self._dispatch.log.warning("udp.too_many_waiting", limit=_MAX_WAITING)
            return None
        task = asyncio.get_running_loop().create_task(self._answer_later(outcome, source, control))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return None

    def _finished(self, source: Source, control: Control, reply: bytes) -> None:
        self._unfinished -= 1
        if self._idle is not None and not self._unfinished:
            self._idle.set_result(None)
            self._idle = None
        self._finished_replies.append((reply, source, control))
        if len(self._finished_replies) == 1:
            asyncio.get_running_loop().call_soon(self._send_finished)

    def _send_finished(self) -> None:
        replies, self._finished_replies = self._finished_replies, []
        if replies:
            self._socket.send(replies)

    async def _answer_later(self, outcome: Coroutine[Any, Any, bytes], source: Source, control: Control) -> None:
        self._socket.send([(await outcome, source, control)])
