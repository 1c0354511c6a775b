"""How the queries of a burst leave and their answers arrive: all in one system call, where the system has that."""

import errno
import os
import socket
from collections.abc import Sequence
from typing import Final

from sinkhole.upstream.slots import Slots, is_supported

_BUFFER: Final = 4096
"""Octets of an answer at most; we ask for fewer."""
_STEP: Final = _BUFFER + 128


class Volley:
    """One system call a datagram, which works everywhere.

    Args:
        most: datagrams that leave or are taken in at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most

    def send(self, sock: socket.SocketType, datagrams: Sequence[bytes]) -> None:
        """Send datagrams through a connected socket, at most as many as leave at once.

        Raises:
            OSError: the system did not take one; those before it may have left.
        """
        for datagram in datagrams:
            sock.send(datagram)

    def receive(self, sock: socket.SocketType, wanted: int) -> list[bytes]:
        """Return what is waiting at a socket; there may be more of it.

        Args:
            wanted: datagrams that are waited for; unasked ones may come, too.

        Raises:
            OSError: of the socket; the port is unreachable, as a rule.
        """
        got: list[bytes] = []
        try:
            while len(got) < min(wanted, self._most):
                got.append(sock.recv(_BUFFER))
        except BlockingIOError:
            pass
        except OSError:
            if not got:  # else there will be another to tell of it
                raise
        return got


class BatchVolley(Volley):
    """One system call for all."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._slots = Slots(most, _STEP, _BUFFER)
        self._starts = [number * _STEP for number in range(most)]

    def send(self, sock: socket.SocketType, datagrams: Sequence[bytes]) -> None:
        """Send datagrams through a connected socket, at most as many as leave at once."""
        if len(datagrams) == 1:
            sock.send(datagrams[0])
            return
        slots, count = self._slots, 0
        octets, to_send, starts = slots.octets, slots.to_send, self._starts
        slots.used = len(datagrams)
        try:
            for datagram in datagrams:
                start, length = starts[count], len(datagram)
                if length > _BUFFER:
                    raise _error(errno.EMSGSIZE)
                octets[start : start + length] = datagram
                to_send[count] = length
                count += 1
            first, fileno = 0, sock.fileno()
            while first < count:
                sent = slots.send(fileno, first, count)
                if not sent:
                    raise _error(slots.errno)
                first += sent
        finally:
            slots.empty()

    def receive(self, sock: socket.SocketType, wanted: int) -> list[bytes]:
        """Return what is waiting at a socket."""
        if wanted == 1:
            return super().receive(sock, wanted)
        slots = self._slots
        count = slots.receive(sock.fileno())
        if not count:
            if slots.errno == errno.EAGAIN:
                return []
            raise _error(slots.errno)
        octets = slots.octets
        return [
            octets[start : start + length]
            for start, length in zip(self._starts, slots.received[:count].tolist(), strict=False)
        ]


def volley_of(most: int) -> Volley:
    """Return the best that this system has; its buffers are for one call at a time."""
    return BatchVolley(most) if is_supported() else Volley(most)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
