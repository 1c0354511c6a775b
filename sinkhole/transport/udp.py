"""The UDP listener: drains its socket in batches, answers what it can at once, and makes tasks of the rest.

Not an asyncio datagram protocol: one callback, one reply and one turn of the event loop a packet cost ten times what
answering from the packet cache does.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final

from sinkhole.transport.border import Wanted, wrap_socket
from sinkhole.transport.datagram import BATCH, Form, Host, Place
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.later import Begun, Later, Returner, StraightLater
from sinkhole.transport.quick import Asked
from sinkhole.upstream.turn import TURN

_BATCHES: Final = 4
"""Batches taken in one turn of the event loop, so that streams and waiting queries get theirs."""
_FEW: Final = 4
"""Datagrams of a batch that are answered one by one, with a system call for each: lists of them take longer."""
_MAX_WAITING: Final = 20_000
"""Datagrams being resolved. The upstream limits bite long before; this bounds memory whatever else fails."""


class UdpListener(Returner):
    """Answers datagrams of one socket.

    Args:
        sock: bound and non-blocking; it stays the caller's and is not closed here.
        dispatch: what answers.
        wanted: how datagrams come and go (`transport.datagrams`).

    Raises:
        ListenError: the system has no such form.
    """

    def __init__(self, sock: socket.socket, dispatch: Dispatch, wanted: Wanted = "auto") -> None:
        self._fd = sock.fileno()
        self._socket = wrap_socket(sock, dispatch.log, wanted)
        self._dispatch = dispatch
        self._waiting: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: asyncio.Future[None] | None = None
        self._unfinished = 0

    @property
    def form(self) -> Form:
        """How datagrams come and go."""
        return self._socket.form

    def start(self) -> None:
        """Begin to read, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._turn)

    def stop(self) -> None:
        """Read no more; what the socket still holds is left to whoever else holds it."""
        if self._loop is not None:
            # uvloop returns None and not a bool, which compiled code would take amiss.
            forget: Callable[[int], object] = self._loop.remove_reader
            forget(self._fd)
            self._loop = None

    async def drain(self, timeout: float) -> None:
        """Wait until the queries in hand are answered, at most `timeout` seconds; then give up on the rest."""
        await asyncio.gather(self._drain_tasks(timeout), self._drain_steps(timeout))
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
            await asyncio.sleep(0)  # in which the last replies leave

    def _turn(self) -> None:
        """Do what `TURN.run` does: compiled, a call of a method that is known takes less than one of any callable."""
        TURN.begin()
        try:
            self._read()
        finally:
            TURN.end()

    def _read(self) -> None:
        dispatch = self._dispatch
        dispatch.tick()
        for _ in range(_BATCHES):
            count = self._socket.receive()
            if count > _FEW:
                self._answer(count)
            elif count:
                self._answer_few(count)
            if count < BATCH:
                break
        dispatch.settle()

    def _answer_few(self, count: int) -> None:
        """Answer a batch of few: each that has a reply at hand at once, by itself, and then the others."""
        box, dispatch = self._socket, self._dispatch
        missed: list[tuple[int, bytes, Host, Asked | None]] = []
        for number in range(count):
            key, host = box.key(number), box.host(number)
            found = dispatch.one_at_hand(key, host)
            if not isinstance(found, bytes):
                missed.append((number, key, host, found))
            elif found:
                box.answer_one(number, found)
        if not missed:
            return
        ready: list[tuple[int, bytes]] = []
        for number, key, host, asked in missed:
            tail = self._begin(number, key, host, asked)
            if tail is not None:
                ready.append((number, tail))
        TURN.flush()  # queries for upstreams leave first: there they are worked on while the rest is done here
        for number, tail in ready:
            box.answer_one(number, tail)

    def _answer(self, count: int) -> None:
        """Answer a batch."""
        keys, hosts = self._socket.batch()
        tails, missed = self._dispatch.at_hand(keys, hosts)
        replies = count - len(missed)
        for number, asked in missed:
            tail = tails[number] = self._begin(number, keys[number], hosts[number], asked)
            replies += tail is not None
        if missed and count < BATCH:
            TURN.flush()
        if replies:
            self._socket.answer(tails)

    def _begin(self, number: int, key: bytes, host: Host, asked: Asked | None) -> bytes | None:
        """Return the reply to a datagram after its id if it is ready at once, else None; it may have been begun."""
        may_begin = self._unfinished < _MAX_WAITING
        outcome = self._dispatch.datagram(self._socket.wire(number), host, asked, key, may_begin=may_begin)
        if isinstance(outcome, bytes):
            return outcome[2:]  # a reply has the id of its query
        if outcome is not None:
            self._wait_for(outcome, self._socket.place(number))
        return None

    def _wait_for(self, outcome: "Coroutine[Any, Any, bytes] | Begun", place: Place) -> None:
        if isinstance(outcome, (StraightLater, Later)):  # a union would be made anew each time, compiled too
            self._unfinished += 1
            outcome.go_to(self, place)
            return
        if len(self._waiting) >= _MAX_WAITING:
            outcome.close()
            self._dispatch.log.warning("udp.too_many_waiting", limit=_MAX_WAITING)
            return
        task = asyncio.get_running_loop().create_task(self._answer_later(outcome, place))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    def give_back(self, reply: bytes, place: Place) -> None:
        """Send the reply to a query that was begun."""
        self._unfinished -= 1
        if self._idle is not None and not self._unfinished:
            self._idle.set_result(None)
            self._idle = None
        self._socket.send(reply, place)

    async def _answer_later(self, outcome: Coroutine[Any, Any, bytes], place: Place) -> None:
        self._socket.send(await outcome, place)
