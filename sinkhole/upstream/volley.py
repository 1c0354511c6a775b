"""How the queries of a burst leave and their answers arrive: all in one system call, where the system has that."""

import socket
from typing import Final

BUFFER: Final = 4096
"""Octets of an answer at most; we ask for fewer."""


class Volley:
    """One system call a datagram, which works everywhere.

    Args:
        most: datagrams that leave or are taken in at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most

    def send(self, sock: socket.SocketType, datagrams: list[bytes]) -> None:
        """Send datagrams through a connected socket, at most as many as leave at once.

        Raises:
            OSError: the system did not take one; those before it may have left.
        """
        for datagram in datagrams:
            sock.send(datagram)

    def is_silent(self, sock: socket.SocketType) -> bool:
        """Return whether nothing came to a socket, no error either."""
        try:
            sock.recv(BUFFER)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

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
                got.append(sock.recv(BUFFER))
        except BlockingIOError:
            pass
        except OSError:
            if not got:  # else there will be another to tell of it
                raise
        return got
