"""Datagrams in batches (Linux): a reply is written over its query, and is sent from there.

Id, address and ancillary data are right for it already, so nothing is copied but the octets of the reply.
"""

import errno
import socket
from array import array
from collections.abc import Sequence
from typing import Final

from sinkhole.transport.datagram import BATCH, LARGEST, Form, Host, Place, ask_for_destination, is_wildcard, report_lost
from sinkhole.transport.quiet import QuietLog
from sinkhole.upstream.slots import Slots
from sinkhole.upstream.turn import TURN, Unfinished

_SLOT: Final = LARGEST + 1 + 128
_NAME_OCTETS: Final = {socket.AF_INET: 16, socket.AF_INET6: 28}
_ADDRESS: Final = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}
"""Where the address stands in a sockaddr_in and a sockaddr_in6."""
_CONTROL_OCTETS: Final = {socket.AF_INET: socket.CMSG_SPACE(12), socket.AF_INET6: socket.CMSG_SPACE(20)}
"""Room for an in_pktinfo, and for an in6_pktinfo."""
_INTERFACE_WORD: Final = {socket.AF_INET: 4, socket.AF_INET6: 8}
"""Which 32-bit word of the ancillary data is the interface: behind its header, and in IPv6 behind the address."""
_WORD: Final = 4


class BatchSocket(Unfinished):
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
        self._sock = sock
        self._log = log
        family = socket.AddressFamily(sock.family)
        octets, controls = _NAME_OCTETS[family], _CONTROL_OCTETS[family] if has_control else 0
        self._in = Slots(BATCH, _SLOT, LARGEST, octets, controls)
        self._late = Slots(BATCH, _SLOT, LARGEST, octets, controls)
        self._has_control = has_control
        self._replies: list[bytes] = []
        self._names: list[bytes] = []
        self._controls: list[bytes] = []
        where = _ADDRESS[family]
        self._starts = self._in.starts
        self._tail_starts = [start + 2 for start in self._starts]
        self._hosts = [slice(n * octets + where.start, n * octets + where.stop) for n in range(BATCH)]
        self._interfaces: memoryview | None = None
        if has_control:
            self._interfaces = memoryview(self._in.controls).cast("I")[_INTERFACE_WORD[family] :: controls // _WORD]
        self._no_interfaces = array("I", [0]) * BATCH
        self._count = 0

    def receive(self) -> tuple[list[bytes], list[Host]]:
        """Take in what is waiting, at most `BATCH`."""
        slots = self._in
        slots.empty()
        self._count = count = slots.receive(self._sock.fileno())
        if not count:
            self._report_failed_receive()
            return [], []
        if self._interfaces is not None:
            # A reply leaves from the address that was asked, by whatever interface routing chooses.
            self._interfaces[:count] = self._no_interfaces[:count]
        octets, names = slots.octets, slots.names[: count * slots.name_octets]
        lengths = slots.received[:count].tolist()
        tails = [
            octets[tail : start + length]
            for tail, start, length in zip(self._tail_starts, self._starts, lengths, strict=False)
        ]
        return tails, [names[where] for where in self._hosts[:count]]

    def wire(self, number: int) -> bytes:
        """Return a datagram of the batch; to be called before `answer`."""
        start = self._starts[number]
        wire: bytes = self._in.octets[start : start + self._in.received[number]]
        return wire

    def place(self, number: int) -> Place:
        """Return where it came from, and which of our addresses it came to; to be called before `answer`."""
        slots = self._in
        names, controls = slots.name_octets, slots.control_octets
        has_control = controls and slots.headers[number].msg_hdr.msg_controllen
        return (
            slots.names[number * names : (number + 1) * names],
            slots.controls[number * controls : (number + 1) * controls] if has_control else b"",
        )

    def answer(self, tails: Sequence[bytes | None]) -> None:
        """Send each from where its query lies; one that the system refuses is lost and logged.

        All leave in one call: the header of a query without a reply is replaced by the last one that has a reply, which
        points to where that lies. Headers are made anew before the next batch.
        """
        slots, end = self._in, self._count
        octets = slots.octets
        lengths = array("L", [0]) * end
        gaps = []
        for number, (start, tail) in enumerate(zip(self._tail_starts, tails, strict=False)):
            if tail is None:
                gaps.append(number)
            else:
                length = len(tail)
                octets[start : start + length] = tail
                lengths[number] = length + 2
        slots.to_send[:end] = lengths
        for gap in gaps:
            while end > gap and tails[end - 1] is None:
                end -= 1
            if end <= gap:
                break
            end -= 1
            slots.copy_header(end, gap)
        self._send_some(slots, end)

    def send(self, reply: bytes, place: Place) -> None:
        """Send one, together with the others that become ready in this turn of the event loop."""
        count = len(self._replies)
        if count == BATCH:
            self.finish()
        elif not count:
            TURN.later(self)
        name, control = place
        self._replies.append(reply)
        self._names.append(name)
        if self._has_control:
            self._controls.append(control)

    def finish(self) -> None:
        """Send the replies that became ready."""
        replies, names, controls = self._replies, self._names, self._controls
        if replies:
            self._replies, self._names, self._controls = [], [], []
            self._late.fill(replies, names, controls)
            self._send_some(self._late, len(replies))

    def _send_some(self, slots: Slots, end: int) -> None:
        """Send what the first headers point to."""
        first, fileno = 0, self._sock.fileno()
        while first < end:
            sent = slots.send(fileno, first, end)
            if sent:
                first += sent
                continue
            number = slots.errno
            report_lost(self._log, number)
            if number in (errno.EAGAIN, errno.ENOBUFS):
                return  # no room for the others either
            first += 1

    def _report_failed_receive(self) -> None:
        number = self._in.errno
        if number != errno.EAGAIN:
            self._log.warning("udp.receive_failed", error=OSError(number, errno.errorcode.get(number, "unknown")))
