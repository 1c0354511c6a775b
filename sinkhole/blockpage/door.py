"""The door: accepts connections within limits of rate, number and time, and turns away all others at once.

Who is turned away gets a reset (RST): no page, but no waiting either, and it costs next to nothing.
"""

import asyncio
import ipaddress
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sinkhole.blockpage.limits import Limit, network_of
from sinkhole.blockpage.shares import Shares

Enter = Callable[[socket.socket, str, Callable[[], None]], Awaitable[asyncio.Transport | None]]
"""Serves a connection of a client at an address, and calls back when it is over; None where it does not serve it."""
_RESET = struct.pack("ii", 1, 0)
_NO_ROOM_PAUSE = 0.2
"""Seconds until the next try where the system has no descriptor left."""
_SAID_EVERY = 60.0
_MANY = "many"


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """Connections a second (`rate`, `burst` per client, `rate_total`), open ones, and seconds that one may last.

    `seconds` is None where a connection may last.
    """

    rate: int
    burst: int
    rate_total: int
    connections: int
    per_client: int
    seconds: float | None


class Door:
    """Lets connections in.

    Args:
        limits: how many.
        allow: networks that are served.
        turned_away: is told, at most once a minute, how many were turned away since.
        many: networks through which many come, such as proxies: no rate or share of one client holds for them, but
            all together they leave a part of the connections to others.
    """

    def __init__(
        self,
        limits: DoorLimits,
        allow: Sequence[str],
        turned_away: Callable[[int], None],
        many: Sequence[str] = (),
    ) -> None:
        self._limits = limits
        self._allow = tuple(map(ipaddress.ip_network, allow))
        self._many = tuple(map(ipaddress.ip_network, many))
        self._rate = Limit(limits.rate, limits.burst)
        self._rate_total = Limit(limits.rate_total, limits.rate_total)
        self._open = Shares(limits.connections, limits.per_client)
        self._entering: set[asyncio.Task[None]] = set()
        self._transports: set[asyncio.Transport] = set()
        self._turned_away = turned_away
        self._count, self._said = 0, float("-inf")

    def __len__(self) -> int:
        return len(self._open)

    async def serve(self, listener: socket.socket, enter: Enter) -> None:
        """Accept on a listening socket until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, peer = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(_NO_ROOM_PAUSE)
                continue
            client = peer[0].partition("%")[0]
            key = self._key_of(client)
            if not self._has_room(client, key):
                self._turn_away(sock)
                continue
            self._open.enter(key)
            task = asyncio.create_task(self._enter(sock, client, key, enter))
            self._entering.add(task)
            task.add_done_callback(self._entering.discard)

    async def close(self) -> None:
        """End all that is open."""
        for task in tuple(self._entering):
            task.cancel()
        await asyncio.gather(*self._entering, return_exceptions=True)
        for transport in tuple(self._transports):
            transport.abort()

    def _key_of(self, client: str) -> str:
        """Return what a client is counted by."""
        address = ipaddress.ip_address(client)
        return _MANY if any(address in network for network in self._many) else network_of(client)

    def _has_room(self, client: str, key: str) -> bool:
        now, is_many = time.monotonic(), key == _MANY
        address = ipaddress.ip_address(client)
        return (
            any(address in allowed for allowed in self._allow)
            and self._open.has_room(key, is_many=is_many)
            and (is_many or self._rate.take(key, now))
            and self._rate_total.take("", now)
        )

    def _turn_away(self, sock: socket.socket) -> None:
        reset(sock)
        self._count += 1
        now = time.monotonic()
        if now - self._said > _SAID_EVERY:
            self._turned_away(self._count)
            self._count, self._said = 0, now

    async def _enter(self, sock: socket.socket, client: str, key: str, enter: Enter) -> None:
        is_over = False
        transport: asyncio.Transport | None = None
        timer: asyncio.TimerHandle | None = None

        def over() -> None:
            nonlocal is_over
            if is_over:
                return
            is_over = True
            self._open.leave(key)
            if transport is not None:
                self._transports.discard(transport)
            if timer is not None:
                timer.cancel()

        try:
            transport = await enter(sock, client, over)
        except OSError:  # a handshake that failed
            sock.close()
        finally:
            if transport is None:
                over()
        if transport is not None and not is_over:
            self._transports.add(transport)
        if transport is not None and not is_over and self._limits.seconds is not None:
            timer = asyncio.get_running_loop().call_later(self._limits.seconds, transport.abort)


def reset(sock: socket.socket) -> None:
    """Close a connection with a reset, without waiting for anything."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()
