"""The border between the UDP listener and the system: datagrams in and out, a batch at a time.

Here is the form that works everywhere, one system call a datagram; `mmsg` has the one that takes a whole batch in one.
A batch is received, answered by place in it, and forgotten; a reply that is ready only later takes a `Place` along.
"""

import errno
import socket
from typing import Any, Final, Literal

from sinkhole.transport.addresses import IP_PKTINFO
from sinkhole.transport.quiet import QuietLog
from sinkhole.upstream.turn import Unfinished

BATCH: Final = 64
"""Datagrams received before the replies to them leave."""
LARGEST: Final = 65_535
_CONTROL_OCTETS: Final = socket.CMSG_SPACE(20)
"""Room for an in6_pktinfo, the larger of the two."""
_REMEMBERED: Final = 1024

Form = Literal["batch", "single"]
"""How datagrams pass the border: many in one system call, or one in each."""
Host = str | bytes
"""Address of a client: as the socket module writes it, or its octets in network order."""
Place = tuple[Any, Any]
"""Where a reply goes: the other side, and what makes it leave from the address that was asked. Opaque."""
Control = tuple[tuple[int, int, bytes], ...]
"""Ancillary data that makes a reply leave from the address that was asked; empty where the socket has but one."""


class DatagramSocket(Unfinished):
    """What the UDP listener wants of a socket; a class, since compiled code would look up the methods of a protocol."""

    form: Form

    def receive(self) -> int:
        """Take in what is waiting, at most `BATCH`; fewer than that means nothing else is waiting.

        Returns:
            How many datagrams the batch has.
        """
        raise NotImplementedError

    def batch(self) -> tuple[list[bytes], list[Host]]:
        """Return for each datagram of the batch the octets after its id, and who sent it."""
        raise NotImplementedError

    def key(self, number: int) -> bytes:
        """Return the octets after its id of a datagram of the batch, by its place in it."""
        raise NotImplementedError

    def host(self, number: int) -> Host:
        """Return who sent a datagram of the batch."""
        raise NotImplementedError

    def wire(self, number: int) -> bytes:
        """Return all octets of a datagram of the batch."""
        raise NotImplementedError

    def place(self, number: int) -> Place:
        """Return where the reply to a datagram of the batch goes."""
        raise NotImplementedError

    def answer(self, tails: list[bytes | None]) -> None:
        """Send replies to the datagrams of the batch: the id of each, and these octets after it; None is silence.

        UDP may lose what the system does not take now.
        """
        raise NotImplementedError

    def answer_one(self, number: int, tail: bytes) -> None:
        """Send the reply to one datagram of the batch, as `answer` does."""
        raise NotImplementedError

    def send(self, reply: bytes, place: Place) -> None:
        """Send a reply that was not ready with its batch; at the latest in the next turn of the event loop."""
        raise NotImplementedError


class _SingleSocket(DatagramSocket):
    """What forms with a system call for each datagram share: a list of what came, and of where each reply goes."""

    form: Form = "single"

    def __init__(self, log: QuietLog) -> None:
        self._log = log
        self._batch: list[tuple[bytes, Place]] = []

    def receive(self) -> int:
        """Take in what is waiting, at most `BATCH`; return how many."""
        self._batch = []
        try:
            for _ in range(BATCH):
                self._batch.append(self._receive_one())
        except BlockingIOError:
            pass
        except OSError as error:
            self._log.warning("udp.receive_failed", error=error)
        return len(self._batch)

    def _receive_one(self) -> tuple[bytes, Place]:
        raise NotImplementedError

    def batch(self) -> tuple[list[bytes], list[Host]]:
        """Return for each datagram of the batch the octets after its id, and who sent it."""
        return [data[2:] for data, _ in self._batch], [source[0] for _, (source, _) in self._batch]

    def key(self, number: int) -> bytes:
        """Return the octets after its id of a datagram of the batch."""
        return self._batch[number][0][2:]

    def host(self, number: int) -> Host:
        """Return who sent a datagram of the batch."""
        host: str = self._batch[number][1][0][0]
        return host

    def wire(self, number: int) -> bytes:
        """Return a datagram of the batch."""
        return self._batch[number][0]

    def place(self, number: int) -> Place:
        """Return where it came from, and which of our addresses it came to."""
        return self._batch[number][1]

    def answer(self, tails: list[bytes | None]) -> None:
        """Send each; one that the system refuses is lost and logged."""
        for number, tail in enumerate(tails):
            if tail is not None:
                self.answer_one(number, tail)

    def answer_one(self, number: int, tail: bytes) -> None:
        """Send one; if the system refuses it, it is lost and logged."""
        data, place = self._batch[number]
        self.send(data[:2] + tail, place)

    def send(self, reply: bytes, place: Place) -> None:
        """Send one; if the system refuses it, it is lost and logged."""
        try:
            self._send(reply, place)
        except OSError as error:
            report_lost(self._log, error.errno)

    def _send(self, reply: bytes, place: Place) -> None:
        raise NotImplementedError


class AddressSocket(_SingleSocket):
    """A socket bound to one address: replies can only leave from there."""

    def __init__(self, sock: socket.socket, log: QuietLog) -> None:
        super().__init__(log)
        self._recvfrom = sock.recvfrom
        self._sendto = sock.sendto

    def _receive_one(self) -> tuple[bytes, Place]:
        data, source = self._recvfrom(LARGEST)
        return data, (source, ())

    def _send(self, reply: bytes, place: Place) -> None:
        self._sendto(reply, place[0])


class WildcardSocket(_SingleSocket):
    """A socket bound to every address of a family: each reply leaves from the address that was asked.

    Without that a client with a connected socket never sees the reply (RFC 2181, section 4.1: "the source address
    of the reply must be the same as the destination address of the query").
    """

    def __init__(self, sock: socket.socket, log: QuietLog) -> None:
        super().__init__(log)
        ask_for_destination(sock)
        self._sock = sock
        self._controls: dict[bytes, Control] = {}

    def _receive_one(self) -> tuple[bytes, Place]:
        data, ancillary, _, source = self._sock.recvmsg(LARGEST, _CONTROL_OCTETS)
        info = ancillary[0][2] if ancillary else b""
        control = self._controls.get(info)
        if control is None:
            control = self._remember(info, ancillary)
        return data, (source, control)

    def _send(self, reply: bytes, place: Place) -> None:
        source, control = place
        self._sock.sendmsg((reply,), control, 0, source)

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


def is_wildcard(sock: socket.socket) -> bool:
    """Return whether a socket is bound to every address of its family."""
    return sock.getsockname()[0] in ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound


def ask_for_destination(sock: socket.socket) -> None:
    """Let the kernel say with each datagram which of our addresses it came to."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)


def report_lost(log: QuietLog, number: int | None) -> None:
    """Log that a reply could not be sent.

    Each kind of failure is an event of its own, so that a forged source port 0 does not hide a full buffer.
    """
    name = errno.errorcode.get(number or 0, "unknown")
    log.warning(f"udp.send_failed.{name.lower()}", error=OSError(number, name))
