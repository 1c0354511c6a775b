"""Datagrams in batches (Linux): one system call takes in all that are waiting, one sends all replies that are ready."""

import errno
import socket
from array import array
from typing import Final

from sinkhole.transport.datagram import (
    BATCH,
    LARGEST,
    DatagramSocket,
    Form,
    Host,
    Place,
    ask_for_destination,
    is_wildcard,
    report_lost,
)
from sinkhole.transport.quiet import QuietLog
from sinkhole.upstream.batch import Inbox, Outbox
from sinkhole.upstream.turn import TURN

_NEAR: Final = 256
"""Octets that hardly a query is longer than."""
_NAME_OCTETS: Final = {socket.AF_INET: 16, socket.AF_INET6: 28}
_ADDRESS: Final = {socket.AF_INET: (4, 8), socket.AF_INET6: (8, 24)}
"""From where to where the address stands in a sockaddr_in and a sockaddr_in6."""
_CONTROL_OCTETS: Final = {socket.AF_INET: socket.CMSG_SPACE(12), socket.AF_INET6: socket.CMSG_SPACE(20)}
"""Room for an in_pktinfo, and for an in6_pktinfo."""
_INTERFACE_WORD: Final = {socket.AF_INET: 4, socket.AF_INET6: 8}
"""Which 32-bit word of the ancillary data is the interface: behind its header, and in IPv6 behind the address."""
_WORD: Final = 4
_FEW: Final = 2
"""Replies that leave one by one: to put two where one call finds both takes longer than a second call."""


class BatchSocket(DatagramSocket):
    """A socket whose datagrams come and go many at a time.

    Args:
        sock: bound and non-blocking; it stays the caller's, and must outlive this.
        log: where failures are logged.
    """

    form: Form = "batch"

    def __init__(self, sock: socket.socket, log: QuietLog) -> None:
        has_control = is_wildcard(sock)
        if has_control:
            ask_for_destination(sock)
        self._fd = sock.fileno()
        self._log = log
        family = socket.AddressFamily(sock.family)
        octets, controls = _NAME_OCTETS[family], _CONTROL_OCTETS[family] if has_control else 0
        self._in = Inbox(BATCH, _NEAR, LARGEST, octets, controls)
        self._out = Outbox(BATCH, BATCH * LARGEST, octets, controls)
        self._has_control = has_control
        self._replies: list[bytes] = []
        self._places: list[Place] = []
        self._host_start, self._host_end = _ADDRESS[family]
        self._interfaces: memoryview | None = None
        if has_control:
            self._interfaces = memoryview(self._in.controls).cast("I")[_INTERFACE_WORD[family] :: controls // _WORD]
        self._no_interfaces = array("I", [0]) * BATCH
        self._controls = b""
        self._control_lengths: list[int] = []

    def receive(self) -> int:
        """Take in what is waiting, at most `BATCH`; return how many."""
        box = self._in
        count = box.receive(self._fd)
        if not count:
            self._report_failed_receive()
        elif self._interfaces is not None:
            # A reply leaves from the address that was asked, by whatever interface routing chooses.
            self._interfaces[:count] = self._no_interfaces[:count]
            self._controls = box.controls[: count * box.control_octets]
            self._control_lengths = box.control_lengths[:count].tolist()
        return count

    def batch(self) -> tuple[list[bytes], list[Host]]:
        """Return for each datagram of the batch the octets after its id, and who sent it."""
        box = self._in
        keys: list[bytes] = []
        hosts: list[Host] = []
        octets, size = box.octets, box.name_octets
        start, end = self._host_start, self._host_end
        name = box.name_start(0)
        for number in range(len(box.lengths)):
            keys.append(box.datagram(number, 2))
            hosts.append(octets[name + start : name + end])
            name += size
        return keys, hosts

    def key(self, number: int) -> bytes:
        """Return the octets after its id of a datagram of the batch."""
        return self._in.datagram(number, 2)

    def host(self, number: int) -> Host:
        """Return who sent a datagram of the batch."""
        box = self._in
        name = box.name_start(number)
        return box.octets[name + self._host_start : name + self._host_end]

    def wire(self, number: int) -> bytes:
        """Return a datagram of the batch."""
        return self._in.datagram(number)

    def place(self, number: int) -> Place:
        """Return where it came from, and which of our addresses it came to."""
        name = self._in.name(number)
        if not self._has_control:
            return name, b""
        octets = self._in.control_octets
        return name, self._controls[number * octets : number * octets + self._control_lengths[number]]

    def answer(self, tails: list[bytes | None]) -> None:
        """Send each to where its query came from; one that the system refuses is lost and logged."""
        box = self._in
        octets = box.octets
        pieces: list[bytes] = []
        lengths: list[int] = []
        answered: list[int] = []
        for number, tail in enumerate(tails):
            if tail is not None:
                start = box.start(number)
                pieces.append(octets[start : start + 2])
                pieces.append(tail)
                lengths.append(len(tail) + 2)
                answered.append(number)
        controls = b""
        if self._has_control:
            names, controls = self._put_places([self.place(number) for number in answered])
        elif len(answered) < len(tails):
            names = b"".join([box.name(number) for number in answered])
        else:
            names = octets[len(octets) - len(tails) * box.name_octets :]
        self._out.fill(b"".join(pieces), lengths, names, controls)
        self._send_some(len(lengths))

    def answer_one(self, number: int, tail: bytes) -> None:
        """Send one; if the system refuses it, it is lost and logged."""
        box = self._in
        start = box.start(number)
        self._send_one(box.octets[start : start + 2] + tail, self.place(number))

    def send(self, reply: bytes, place: Place) -> None:
        """Send one, together with the others that become ready in this turn of the event loop."""
        count = len(self._replies)
        if count == BATCH:
            self.finish()
        elif not count:
            TURN.later(self)
        self._replies.append(reply)
        self._places.append(place)

    def finish(self) -> None:
        """Send the replies that became ready."""
        replies, places = self._replies, self._places
        if not replies:
            return
        self._replies, self._places = [], []
        if len(replies) <= _FEW:
            for number, reply in enumerate(replies):
                self._send_one(reply, places[number])
            return
        names, controls = self._put_places(places)
        self._out.fill(b"".join(replies), [len(reply) for reply in replies], names, controls)
        self._send_some(len(replies))

    def _put_places(self, places: list[Place]) -> tuple[bytes, bytes]:
        """Return the addresses and the ancillary data of places, as they stand behind each other."""
        names = b"".join([name for name, _ in places])
        if not self._has_control:
            return names, b""
        size = self._out.control_octets
        controls = [control for _, control in places]
        self._out.control_lengths[: len(controls)] = array("L", [len(control) for control in controls])
        return names, b"".join([control.ljust(size, b"\0") for control in controls])

    def _send_one(self, reply: bytes, place: Place) -> None:
        name, control = place
        box = self._out
        is_sent = box.send_placed(self._fd, reply, name, control) if control else box.send_one(self._fd, reply, name)
        if not is_sent:
            report_lost(self._log, box.errno)

    def _send_some(self, end: int) -> None:
        """Send what was put into the outbox."""
        first, fileno, box = 0, self._fd, self._out
        while first < end:
            sent = box.send(fileno, first, end)
            if sent:
                first += sent
                continue
            number = box.errno
            report_lost(self._log, number)
            if number in (errno.EAGAIN, errno.ENOBUFS):
                return  # no room for the others either
            first += 1

    def _report_failed_receive(self) -> None:
        number = self._in.errno
        if number != errno.EAGAIN:
            self._log.warning("udp.receive_failed", error=OSError(number, errno.errorcode.get(number, "unknown")))
