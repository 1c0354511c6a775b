"""Datagrams in batches: `recvmmsg` and `sendmmsg` (Linux), called through cffi in ABI mode, so nothing is compiled.

Everything the kernel reads or writes lies in buffers that are made once and live as long as the object: a slot of
octets, an address and ancillary data for each datagram of a batch, and the headers that point to them. A reply is
written over its query, whose id, address and ancillary data are right for it already, and is sent from there: nothing
is copied but the octets of the reply. Every length that is handed to the kernel is that of a slot, or of what was just
put into one.
"""

import errno
import mmap
import socket
from array import array
from collections.abc import Sequence
from typing import Any, Final

import cffi

from sinkhole.transport.datagram import BATCH, LARGEST, Form, Host, Place, ask_for_destination, is_wildcard, report_lost
from sinkhole.transport.quiet import QuietLog
from sinkhole.upstream.turn import TURN

_ffi = cffi.FFI()
_ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr {
        void *msg_name; uint32_t msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
        void *msg_control; size_t msg_controllen; int msg_flags;
    };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
    int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
    """
)
_HEADER_OCTETS: Final = _ffi.sizeof("struct mmsghdr")
_SLOT: Final = LARGEST + 1 + 128
"""Octets from one slot to the next; not a power of two, or all would share the same lines of the processor's cache."""
_NAME_OCTETS: Final = {socket.AF_INET: 16, socket.AF_INET6: 28}
_ADDRESS: Final = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}
"""Where the address stands in a sockaddr_in and a sockaddr_in6."""
_CONTROL_OCTETS: Final = {socket.AF_INET: socket.CMSG_SPACE(12), socket.AF_INET6: socket.CMSG_SPACE(20)}
"""Room for an in_pktinfo, and for an in6_pktinfo."""
_INTERFACE_WORD: Final = {socket.AF_INET: 4, socket.AF_INET6: 8}
"""Which 32-bit word of the ancillary data is the interface: behind its header, and in IPv6 behind the address."""
_DONTWAIT: Final = int(socket.MSG_DONTWAIT)
_WORD: Final = 4


def is_supported() -> bool:
    """Return whether this system has both calls, in the form described above: Linux with 64-bit pointers."""
    if _ffi.sizeof("void *") != 8 or _ffi.sizeof("struct mmsghdr") != 64:
        return False
    try:
        library: Any = _ffi.dlopen(None)
        return bool(library.recvmmsg and library.sendmmsg)
    except (AttributeError, OSError):
        return False


class _Slots:
    """Room for a batch of datagrams, and the headers that describe it to the kernel.

    Args:
        family: of the socket.
        has_control: whether ancillary data come and go with the datagrams.
    """

    def __init__(self, family: int, has_control: bool) -> None:
        self.name_octets = _NAME_OCTETS[socket.AddressFamily(family)]
        self.control_octets = _CONTROL_OCTETS[socket.AddressFamily(family)] if has_control else 0
        # Held here for as long as the headers that point to them.
        # (Mapped, since the kernel gives pages only as they are written to: nearly all queries are short.)
        self._octets = _ffi.from_buffer("char[]", mmap.mmap(-1, BATCH * _SLOT), require_writable=True)
        self._names = _ffi.new("char[]", BATCH * self.name_octets)
        self._controls = _ffi.new("char[]", max(1, BATCH * self.control_octets))
        self._iovecs = _ffi.new("struct iovec[]", BATCH)
        self.headers = _ffi.new("struct mmsghdr[]", BATCH)
        for number in range(BATCH):
            self._iovecs[number].iov_base = self._octets + number * _SLOT
            self._iovecs[number].iov_len = LARGEST
            header = self.headers[number].msg_hdr
            header.msg_name = self._names + number * self.name_octets
            header.msg_namelen = self.name_octets
            header.msg_iov = self._iovecs + number
            header.msg_iovlen = 1
            if has_control:
                header.msg_control = self._controls + number * self.control_octets
                header.msg_controllen = self.control_octets
        self.octets = _ffi.buffer(self._octets)
        self.names = _ffi.buffer(self._names)
        self.controls = _ffi.buffer(self._controls)
        self._header_octets = _ffi.buffer(self.headers)
        self._fresh_headers = bytes(self._header_octets)
        words = _ffi.sizeof("struct mmsghdr") // _WORD
        at = _ffi.offsetof("struct mmsghdr", "msg_len") // _WORD
        self.received = memoryview(self._header_octets).cast("I")[at::words]
        """How long each datagram is that was received."""
        self.to_send = memoryview(_ffi.buffer(self._iovecs)).cast("B").cast("L")[1::2]
        """How long each datagram is that will be sent; while receiving, how long it may be."""
        self._room = array("L", [LARGEST]) * BATCH
        self.used = 0
        """Slots from the first that are not as they were made."""

    def empty(self) -> None:
        """Make every slot ready to receive: the kernel has written into the headers, and we into the lengths."""
        used, self.used = self.used, 0
        octets = used * _HEADER_OCTETS
        self._header_octets[:octets] = self._fresh_headers[:octets]
        self.to_send[:used] = self._room[:used]

    def copy_header(self, source: int, target: int) -> None:
        """Let the header of one slot say what that of another says, until `empty`."""
        octets, size = self._header_octets, _HEADER_OCTETS
        octets[target * size : (target + 1) * size] = octets[source * size : (source + 1) * size]


class BatchSocket:
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
        library: Any = _ffi.dlopen(None)
        self._recvmmsg, self._sendmmsg = library.recvmmsg, library.sendmmsg
        self._sock = sock
        self._log = log
        self._in = _Slots(sock.family, has_control)
        self._late = _Slots(sock.family, has_control)
        self._late_replies: list[tuple[bytes, Place]] = []
        octets = self._in.name_octets
        where = _ADDRESS[socket.AddressFamily(sock.family)]
        self._starts = [number * _SLOT for number in range(BATCH)]
        self._tail_starts = [start + 2 for start in self._starts]
        self._hosts = [slice(n * octets + where.start, n * octets + where.stop) for n in range(BATCH)]
        self._interfaces: memoryview | None = None
        if has_control:
            words = self._in.control_octets // _WORD
            at = _INTERFACE_WORD[socket.AddressFamily(sock.family)]
            self._interfaces = memoryview(self._in.controls).cast("I")[at::words]
        self._no_interfaces = array("I", [0]) * BATCH
        self._count = 0

    def receive(self) -> tuple[list[bytes], list[Host]]:
        """Take in what is waiting, at most `BATCH`."""
        slots = self._in
        slots.empty()
        self._count = count = max(0, self._recvmmsg(self._sock.fileno(), slots.headers, BATCH, _DONTWAIT, _ffi.NULL))
        slots.used = count
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
        if not self._late_replies:
            TURN.later(self._send_late)
        self._late_replies.append((reply, place))

    def _send_late(self) -> None:
        replies, self._late_replies = self._late_replies, []
        for begin in range(0, len(replies), BATCH):
            self._send_batch(replies[begin : begin + BATCH])

    def _send_batch(self, replies: Sequence[tuple[bytes, Place]]) -> None:
        slots = self._late
        slots.empty()
        slots.used = len(replies)
        names, controls = slots.name_octets, slots.control_octets
        slots.to_send[: len(replies)] = array("L", [len(reply) for reply, _ in replies])
        for number, (reply, (name, control)) in enumerate(replies):
            start = self._starts[number]
            slots.octets[start : start + len(reply)] = reply
            slots.names[number * names : (number + 1) * names] = name
            if control:
                slots.controls[number * controls : (number + 1) * controls] = control
            elif controls:
                slots.headers[number].msg_hdr.msg_controllen = 0
        self._send_some(slots, len(replies))

    def _send_some(self, slots: _Slots, end: int) -> None:
        """Send what the first headers point to."""
        first, fileno = 0, self._sock.fileno()
        while first < end:
            sent = self._sendmmsg(fileno, slots.headers + first, end - first, _DONTWAIT)
            if sent > 0:
                first += sent
                continue
            number = _ffi.errno
            report_lost(self._log, number)
            if number in (errno.EAGAIN, errno.ENOBUFS):
                return  # no room for the others either
            first += 1

    def _report_failed_receive(self) -> None:
        number = _ffi.errno
        if number != errno.EAGAIN:
            self._log.warning("udp.receive_failed", error=OSError(number, errno.errorcode.get(number, "unknown")))
