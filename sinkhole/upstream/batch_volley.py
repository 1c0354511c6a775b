"""Queries and answers of a burst in one system call each."""

import errno
import os
import socket
from typing import Final

from sinkhole.upstream.slots import Slots
from sinkhole.upstream.volley import BUFFER, Volley

_STEP: Final = BUFFER + 128


class BatchVolley(Volley):
    """One system call for all."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._in = Slots(most, _STEP, BUFFER)
        self._out = Slots(most, _STEP, BUFFER)

    def send(self, sock: socket.SocketType, datagrams: list[bytes]) -> None:
        """Send datagrams through a connected socket, at most as many as leave at once."""
        if len(datagrams) == 1:
            sock.send(datagrams[0])
            return
        for datagram in datagrams:
            if len(datagram) > BUFFER:
                raise _error(errno.EMSGSIZE)
        slots = self._out
        slots.fill(datagrams, [], [])
        first, fileno = 0, sock.fileno()
        while first < len(datagrams):
            sent = slots.send(fileno, first, len(datagrams))
            if not sent:
                raise _error(slots.errno)
            first += sent

    def receive(self, sock: socket.SocketType, wanted: int) -> list[bytes]:
        """Return what is waiting at a socket."""
        if wanted == 1:
            return super().receive(sock, wanted)
        slots = self._in
        slots.empty()
        count = slots.receive(sock.fileno())
        if not count:
            if slots.errno == errno.EAGAIN:
                return []
            raise _error(slots.errno)
        octets = slots.octets
        return [
            octets[start : start + length]
            for start, length in zip(slots.starts, slots.received[:count].tolist(), strict=False)
        ]


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
