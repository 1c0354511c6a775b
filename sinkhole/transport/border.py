"""Which form of datagram socket a listener gets: batches where the system has them, else one datagram at a time."""

import socket
from typing import Literal

from sinkhole.errors import ListenError
from sinkhole.transport.datagram import AddressSocket, DatagramSocket, WildcardSocket, is_wildcard
from sinkhole.transport.mmsg import BatchSocket
from sinkhole.transport.quiet import QuietLog
from sinkhole.upstream.batch import is_supported

Wanted = Literal["auto", "batch", "single"]


def wrap_socket(sock: socket.socket, log: QuietLog, wanted: Wanted = "auto") -> DatagramSocket:
    """Return a socket in the wanted form, and in that which fits the address it is bound to.

    Raises:
        ListenError: batches are wanted where the system has none.
    """
    if wanted != "single" and is_supported():
        return BatchSocket(sock, log)
    if wanted == "batch":
        raise ListenError("transport.datagrams: this system has no recvmmsg and sendmmsg; set it to auto")
    return WildcardSocket(sock, log) if is_wildcard(sock) else AddressSocket(sock, log)
