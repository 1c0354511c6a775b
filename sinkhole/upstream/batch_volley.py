"""Queries and answers of a burst in one system call each."""

import errno
import os
import socket
from typing import Final

from sinkhole.upstream.batch import Inbox, Outbox
from sinkhole.upstream.volley import BUFFER, Volley

_NEAR: Final = 512
"""Octets that few answers are longer than."""


class BatchVolley(Volley):
    """One system call for all."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._in = Inbox(most, _NEAR, BUFFER)
        self._out = Outbox(most, most * BUFFER)

    def send(self, sock: socket.SocketType, datagrams: list[bytes]) -> None:
        """Send datagrams through a connected socket, at most as many as leave at once."""
        if len(datagrams) == 1:
            sock.send(datagrams[0])
            return
        lengths = [len(datagram) for datagram in datagrams]
        if max(lengths) > BUFFER:
            raise _error(errno.EMSGSIZE)
        box = self._out
        box.fill(b"".join(datagrams), lengths)
        first, end, fileno = 0, len(lengths), sock.fileno()
        while first < end:
            sent = box.send(fileno, first, end)
            if not sent:
                raise _error(box.errno)
            first += sent

    def is_silent(self, sock: socket.SocketType) -> bool:
        """Return whether nothing came to a socket, no error either; no exception is made on the way."""
        return self._in.is_silent(sock.fileno())

    def receive(self, sock: socket.SocketType, wanted: int) -> list[bytes]:
        """Return what is waiting at a socket."""
        box = self._in
        if wanted == 1:
            got = box.receive_one(sock.fileno())
            if got is None and box.errno != errno.EAGAIN:
                raise _error(box.errno)
            return [] if got is None else [got]
        count = box.receive(sock.fileno())
        if not count and box.errno != errno.EAGAIN:
            raise _error(box.errno)
        return [box.datagram(number) for number in range(count)]


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
