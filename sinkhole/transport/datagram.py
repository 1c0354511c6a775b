"""The border between the UDP listener and the system: datagrams in and out, a batch at a time.

Here is the form that works everywhere, one system call a datagram. A form with `recvmmsg` fits behind the same
`DatagramSocket`.
"""

import errno
import socket
from typing import Any, Protocol

from sinkhole.transport.addresses import IP_PKTINFO
from sinkhole.transport.quiet import QuietLog

BATCH = 64
"""Datagrams received before the replies to them leave."""
_LARGEST = 65535
_CONTROL_OCTETS = socket.CMSG_SPACE(20)
"""Room for an in6_pktinfo, the larger of the two."""
_REMEMBERED = 1024

Source = tuple[Any, ...]
"""An address as the socket module gives it; the host is the first item."""
Control = tuple[tuple[int, int, bytes], ...]
"""Ancillary data that makes a reply leave from the address that was asked; empty where the socket has but one."""
Datagram = tuple[bytes, Source, Control]
"""Octets, the other side, and ancillary data. A plain tuple: it is made for every packet."""


class DatagramSocket(Protocol):
    """What the UDP listener wants of a socket."""

    def receive(self) -> list[Datagram]:
        """Return what is waiting, at most `BATCH`; fewer than that means nothing else is waiting."""
        ...

    def send(self, replies: list[Datagram]) -> None:
        """Send what can be sent now; UDP may lose the rest."""
        ...


def wrap_socket(sock: socket.socket, log: QuietLog) -> DatagramSocket:
    """Return the form that fits the address the socket is bound to."""
    if sock.getsockname()[0] in ("0.0.0.0", "::"):  # noqa: S104 - recognised, not bound
        return WildcardSocket(sock, log)
    return AddressSocket(sock, log)


class AddressSocket:
    """A socket bound to one address: replies can only leave from there."""

    def __init__(self, sock: socket.socket, log: QuietLog) -> None:
        self._recvfrom = sock.recvfrom
        self._sendto = sock.sendto
        self._log = log

    def receive(self) -> list[Datagram]:
        """Return what is waiting, at most `BATCH`."""
        recvfrom = self._recvfrom
        batch: list[Datagram] = []
        try:
            for _ in range(BATCH):
                data, source = recvfrom(_LARGEST)
                batch.append((data, source, ()))
        except BlockingIOError:
            pass
        except OSError as error:
            self._log.warning("udp.receive_failed", error=error)
        return batch

    def send(self, replies: list[Datagram]) -> None:
        """Send each; one that the system refuses is lost and logged."""
        sendto = self._sendto
        for data, source, _ in replies:
            try:
                sendto(data, source)
            except OSError as error:
                _report_lost(self._log, error)


class WildcardSocket:
    """A socket bound to every address of a family: each reply leaves from the address that was asked.

    Without that a client with a connected socket never sees the reply (RFC 2181, section 4.1: "the source address
    of the reply must be the same as the destination address of the query").
    """

    def __init__(self, sock: socket.socket, log: QuietLog) -> None:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self._sock = sock
        self._log = log
        self._controls: dict[bytes, Control] = {}

    def receive(self) -> list[Datagram]:
        """Return what is waiting, at most `BATCH`."""
        recvmsg = self._sock.recvmsg
        controls = self._controls
        batch: list[Datagram] = []
        try:
            for _ in range(BATCH):
                data, ancillary, _, source = recvmsg(_LARGEST, _CONTROL_OCTETS)
                info = ancillary[0][2] if ancillary else b""
                control = controls.get(info)
                if control is None:
                    control = self._remember(info, ancillary)
                batch.append((data, source, control))
        except BlockingIOError:
            pass
        except OSError as error:
            self._log.warning("udp.receive_failed", error=error)
        return batch

    def send(self, replies: list[Datagram]) -> None:
        """Send each; one that the system refuses is lost and logged."""
        sendmsg = self._sock.sendmsg
        for data, source, control in replies:
            try:
                sendmsg((data,), control, 0, source)
            except OSError as error:
                _report_lost(self._log, error)

    def _remember(self, info: bytes, ancillary: list[tuple[int, int, bytes]]) -> Control:
        """Make the ancillary data of replies from that of a query, without the interface: routing chooses it."""
        if len(self._controls) >= _REMEMBERED:
            self._controls.clear()
        control: Control = ()
        if info and ancillary[0][:2] == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            control = ((socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info[:16] + bytes(4)),)
        elif info:
            # in_pktinfo is interface, local address, address in the header; the kernel sends from the second.
            control = ((socket.IPPROTO_IP, IP_PKTINFO, bytes(4) + info[4:8] + bytes(4)),)
        self._controls[info] = control
        return control


def _report_lost(log: QuietLog, error: OSError) -> None:
    # Each kind of failure is an event of its own, so that a forged source port 0 does not hide a full buffer.
    name = errno.errorcode.get(error.errno or 0, "unknown")
    log.warning(f"udp.send_failed.{name.lower()}", error=error)
