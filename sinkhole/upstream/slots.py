"""Many datagrams in one system call: `recvmmsg` and `sendmmsg` (Linux), called through cffi in ABI mode.

Everything the kernel reads or writes lies in buffers that are made once and live as long as the object: a slot of
octets, an address and ancillary data for each datagram of a batch, and the headers that point to them. Every length
that is handed to the kernel is that of a slot, or of what was just put into one.
"""

import errno
import mmap
import socket
from array import array
from typing import Any, Final

import cffi

FFI: Final = cffi.FFI()
FFI.cdef(
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
_HEADER_OCTETS: Final = FFI.sizeof("struct mmsghdr")
_DONTWAIT: Final = int(getattr(socket, "MSG_DONTWAIT", 0))
_WORD: Final = 4
_LONG: Final = 8
_NULL: Final = FFI.NULL
_NOBODY: Final = -1
"""Of no descriptor: what a call says of it tells whether there is the call."""


def is_supported() -> bool:
    """Return whether this system has both calls, in the form above (Linux with 64-bit pointers), and lets us."""
    if FFI.sizeof("void *") != 8 or FFI.sizeof("struct mmsghdr") != 64:
        return False
    try:
        library: Any = FFI.dlopen(None)
        for call, more in ((library.recvmmsg, (_NULL,)), (library.sendmmsg, ())):
            # One and not none: musl does not ask the kernel about none.
            if call(_NOBODY, FFI.new("struct mmsghdr *"), 1, 0, *more) != -1 or FFI.errno != errno.EBADF:
                return False
    except (AttributeError, OSError):
        return False
    return True


class Slots:
    """Room for a batch of datagrams, and the headers that describe it to the kernel.

    It is either received into and sent from (`receive`, `send`, `empty`), each datagram in its slot; or filled and sent
    from (`fill`, `send`), with datagrams right behind each other.

    Args:
        count: datagrams of a batch.
        step: octets from one slot to the next; no power of two, or all would share the same lines of the processor's
            cache.
        room: octets of a datagram at most.
        name_octets: of the address that comes and goes with a datagram; 0 for a connected socket.
        control_octets: of ancillary data.

    Attributes:
        octets, names, controls: all slots behind each other.
        starts: where each slot begins in `octets`.
        headers: one for each slot.
        received: how long each datagram is that was received.
        to_send: how long each is that will be sent; while receiving, how long it may be.
        used: slots from the first that are not as they were made.
    """

    def __init__(self, count: int, step: int, room: int, name_octets: int = 0, control_octets: int = 0) -> None:
        self.name_octets = name_octets
        self.control_octets = control_octets
        self._count = count
        # Held here for as long as the headers that point to them.
        # Mapped, since the kernel gives pages only as they are written to: nearly all datagrams are short. And private,
        # or processes would share it after a fork.
        mapped = mmap.mmap(-1, count * step, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._octets = FFI.from_buffer("char[]", mapped, require_writable=True)
        self._names = FFI.new("char[]", max(1, count * name_octets))
        self._controls = FFI.new("char[]", max(1, count * control_octets))
        self._iovecs = FFI.new("struct iovec[]", count)
        self.headers = FFI.new("struct mmsghdr[]", count)
        for number in range(count):
            self._iovecs[number].iov_base = self._octets + number * step
            self._iovecs[number].iov_len = room
            header = self.headers[number].msg_hdr
            header.msg_iov = self._iovecs + number
            header.msg_iovlen = 1
            if name_octets:
                header.msg_name = self._names + number * name_octets
                header.msg_namelen = name_octets
            if control_octets:
                header.msg_control = self._controls + number * control_octets
                header.msg_controllen = control_octets
        self.octets = FFI.buffer(self._octets)
        self.starts = [number * step for number in range(count)]
        self.names = FFI.buffer(self._names)
        self.controls = FFI.buffer(self._controls)
        self._header_octets = FFI.buffer(self.headers)
        self._fresh_headers = bytes(self._header_octets)
        words = _HEADER_OCTETS // _WORD
        at = FFI.offsetof("struct mmsghdr", "msg_len") // _WORD
        self.received = memoryview(self._header_octets).cast("I")[at::words]
        vectors = memoryview(FFI.buffer(self._iovecs)).cast("B").cast("L")
        self._places, self.to_send = vectors[::2], vectors[1::2]
        self._first = self._places[0]
        at = FFI.offsetof("struct msghdr", "msg_controllen") // _LONG
        self._control_lengths = memoryview(self._header_octets).cast("L")[at :: _HEADER_OCTETS // _LONG]
        self._room = array("L", [room]) * count
        self.used = 0
        library: Any = FFI.dlopen(None)
        self._recvmmsg, self._sendmmsg = library.recvmmsg, library.sendmmsg

    def receive(self, fileno: int) -> int:
        """Take in what is waiting at a socket; return how many, and 0 where `errno` says why there are none."""
        count: int = self._recvmmsg(fileno, self.headers, self._count, _DONTWAIT, _NULL)
        self.used = max(0, count)
        return self.used

    def fill(self, datagrams: list[bytes], names: list[bytes], controls: list[bytes]) -> None:
        """Put in datagrams that will be sent; all that was there is gone.

        Args:
            datagrams: as many as there are slots, at most, and not longer than these.
            names: an address for each; none for a connected socket.
            controls: ancillary data for each, which may be empty; none where there is no room for any.
        """
        octets = b"".join(datagrams)
        self.octets[: len(octets)] = octets
        place, places, lengths = self._first, [], []
        for datagram in datagrams:
            length = len(datagram)
            places.append(place)
            lengths.append(length)
            place += length
        count = len(datagrams)
        self._places[:count] = array("L", places)
        self.to_send[:count] = array("L", lengths)
        if names:
            octets = b"".join(names)
            self.names[: len(octets)] = octets
        if controls:
            octets = b"".join([control.ljust(self.control_octets, b"\0") for control in controls])
            self.controls[: len(octets)] = octets
            self._control_lengths[:count] = array("L", [len(control) for control in controls])

    def send(self, fileno: int, first: int, end: int) -> int:
        """Send from slot `first` up to `end`; return how many left, and 0 where `errno` says why the first did not."""
        sent: int = self._sendmmsg(fileno, self.headers + first, end - first, _DONTWAIT)
        return max(0, sent)

    @property
    def errno(self) -> int:
        """Why the last call failed."""
        number: int = FFI.errno
        return number

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
