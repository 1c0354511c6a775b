"""Many datagrams in one system call: `recvmmsg` and `sendmmsg` (Linux), called through cffi.

Everything the kernel reads or writes lies in buffers that are made once and live as long as the object: octets, an
address and ancillary data for each datagram of a batch, and the headers that point to them. Every length that is handed
to the kernel is that of a part of them, or of what was just put there; every pointer leads into them.
"""

import errno
import mmap
import socket
from array import array
from typing import Any, Final

from sinkhole.upstream.calls import FFI, LIBRARY

_HEADER_OCTETS: Final = FFI.sizeof("struct numbered")
_DONTWAIT: Final = int(getattr(socket, "MSG_DONTWAIT", 0))
_WORD: Final = 4
_LONG: Final = 8
_APART: Final = 128
_NULL: Final = FFI.NULL
_NOBODY: Final = -1
"""Of no descriptor: what a call says of it tells whether there is the call."""


def is_supported() -> bool:
    """Return whether this system has both calls, in the form above (Linux with 64-bit pointers), and lets us."""
    if FFI.sizeof("void *") != 8 or FFI.sizeof("struct numbered") != 64:
        return False
    try:
        for call, more in ((LIBRARY.recvmmsg, (_NULL,)), (LIBRARY.sendmmsg, ())):
            # One and not none: musl does not ask the kernel about none.
            if call(_NOBODY, FFI.new("struct numbered *"), 1, 0, *more) != -1 or FFI.errno != errno.EBADF:
                return False
    except (AttributeError, OSError):
        return False
    return True


class _Box:
    """The buffers of a batch.

    Args:
        count: datagrams of a batch.
        parts: pieces that each of them is in.
        name_octets: of the address that comes and goes with a datagram; 0 for a connected socket.
        control_octets: of ancillary data.
        names: where addresses are put.

    Attributes:
        controls: ancillary data of all datagrams behind each other.
        control_lengths: how much of the room for ancillary data is used, of each.
    """

    def __init__(self, count: int, parts: int, name_octets: int, control_octets: int, names: Any) -> None:
        self.name_octets = name_octets
        self.control_octets = control_octets
        # Held here for as long as the headers that point to them; what a pointer leads into is held by whoever gave it.
        self._names = names
        self._controls = FFI.new("char[]", max(1, count * control_octets))
        self._iovecs = FFI.new("struct vector[]", count * parts)
        self._headers = FFI.new("struct numbered[]", count)
        for number in range(count):
            header = self._headers[number].message
            header.vectors = self._iovecs + number * parts
            header.vector_count = parts
            if name_octets:
                header.name = self._names + number * name_octets
                header.name_octets = name_octets
            if control_octets:
                header.control = self._controls + number * control_octets
                header.control_octets = control_octets
        self.controls = FFI.buffer(self._controls)
        headers = memoryview(FFI.buffer(self._headers))
        self._sizes = headers.cast("I")[FFI.offsetof("struct numbered", "octets") // _WORD :: _HEADER_OCTETS // _WORD]
        at = FFI.offsetof("struct message", "control_octets") // _LONG
        self.control_lengths = headers.cast("L")[at :: _HEADER_OCTETS // _LONG]

    @property
    def errno(self) -> int:
        """Why the last call failed."""
        number: int = FFI.errno
        return number


class Inbox(_Box):
    """Takes in datagrams. The first octets of all lie close together, which is all that most have; the rest elsewhere.

    Args:
        count: datagrams of a batch.
        near: octets that lie close together.
        room: octets of a datagram at most.
        name_octets, control_octets: as of `_Box`.

    Attributes:
        octets: the first ones of each datagram of the batch, the last one's first, and then the addresses of all, the
            first one's first: so however many there are, what came stands in one piece.
        lengths: how long each is.
    """

    def __init__(self, count: int, near: int, room: int, name_octets: int = 0, control_octets: int = 0) -> None:
        self._near_octets = _mapped(count * (near + name_octets))
        super().__init__(count, 2, name_octets, control_octets, self._near_octets + count * near)
        self._count = count
        self._near = near
        self._room = room
        # No power of two apart, or all would share the same lines of the processor's cache.
        self._step = room - near + _APART
        self._far_octets = _mapped(max(room, count * self._step))
        for number in range(count):
            first, second = self._iovecs[2 * number], self._iovecs[2 * number + 1]
            first.start = self._near_octets + (count - 1 - number) * near
            first.octets = near
            second.start = self._far_octets + number * self._step
            second.octets = room - near
        self._near_buffer = FFI.buffer(self._near_octets)
        self._far_buffer = FFI.buffer(self._far_octets)
        # What came, by how many they are: made anew each time, a slice takes longer than what it is for.
        self._parts = [slice((count - some) * near, count * near + some * name_octets) for some in range(count + 1)]
        self._fresh_control_lengths = array("L", [control_octets]) * count
        self.octets = b""
        self.lengths: list[int] = []
        self._recvmmsg, self._recv = LIBRARY.recvmmsg, LIBRARY.recv

    def receive(self, fileno: int) -> int:
        """Take in what is waiting at a socket; return how many, and 0 where `errno` says why there are none."""
        if self.control_octets:
            used = len(self.lengths)
            self.control_lengths[:used] = self._fresh_control_lengths[:used]  # the kernel has said how much it used
        count: int = self._recvmmsg(fileno, self._headers, self._count, _DONTWAIT, _NULL)
        count = max(0, count)
        self.octets = self._near_buffer[self._parts[count]]
        self.lengths = [self._sizes[0]] if count == 1 else self._sizes[:count].tolist()
        return count

    def is_silent(self, fileno: int) -> bool:
        """Take one in and forget it; return whether there was none, and no error either. The batch before is gone."""
        return self.receive_one(fileno) is None and self.errno == errno.EAGAIN

    def receive_one(self, fileno: int) -> bytes | None:
        """Take in one and return it; None where `errno` says why there is none. The batch before is gone."""
        got: int = self._recv(fileno, self._far_octets, self._room, _DONTWAIT)
        if got < 0:
            return None
        octets: bytes = self._far_buffer[:got]
        return octets

    def start(self, number: int) -> int:
        """Return where a datagram of the batch begins in `octets`."""
        return (len(self.lengths) - 1 - number) * self._near

    def name_start(self, number: int) -> int:
        """Return where in `octets` the address begins that a datagram of the batch came from."""
        return len(self.lengths) * self._near + number * self.name_octets

    def name(self, number: int) -> bytes:
        """Return the address that a datagram of the batch came from, as the kernel writes it."""
        start = self.name_start(number)
        return self.octets[start : start + self.name_octets]

    def datagram(self, number: int, skip: int = 0) -> bytes:
        """Return one of the batch, but for its first octets, of which there are fewer than lie close together."""
        near, length = self._near, self.lengths[number]
        if length < skip:
            return b""  # compiled, a slice that ends before it begins is an error
        start = self.start(number)
        if length <= near:
            return self.octets[start + skip : start + length]
        far = number * self._step
        rest: bytes = self._far_buffer[far : far + length - near]
        return self.octets[start + skip : start + near] + rest


class Outbox(_Box):
    """Sends datagrams, which lie right behind each other.

    Args:
        count: datagrams of a batch.
        room: octets of all together.
        name_octets, control_octets: as of `_Box`.

    Attributes:
        names: addresses of all datagrams behind each other.
    """

    def __init__(self, count: int, room: int, name_octets: int = 0, control_octets: int = 0) -> None:
        super().__init__(count, 1, name_octets, control_octets, FFI.new("char[]", max(1, count * name_octets)))
        self.names = FFI.buffer(self._names)
        self._octets = _mapped(room)
        self._buffer = FFI.buffer(self._octets)
        self._iovecs[0].start = self._octets
        vectors = memoryview(FFI.buffer(self._iovecs)).cast("B").cast("L")
        self._places, self._lengths = vectors[::2], vectors[1::2]
        self._first = self._places[0]
        self._sendmmsg, self._sendto = LIBRARY.sendmmsg, LIBRARY.sendto

    def fill(self, octets: bytes, lengths: list[int], names: bytes = b"", controls: bytes = b"") -> None:
        """Put in what will be sent; it may not be more than there is room for.

        Args:
            octets: of all datagrams.
            lengths: of each.
            names: the addresses, where the socket is not connected.
            controls: ancillary data, where there is room for any; how much of it counts is in `control_lengths`.
        """
        self._buffer[: len(octets)] = octets
        place, places = self._first, []
        for length in lengths:
            places.append(place)
            place += length
        count = len(places)
        self._places[:count] = array("L", places)
        self._lengths[:count] = array("L", lengths)
        self.names[: len(names)] = names
        self.controls[: len(controls)] = controls

    def send(self, fileno: int, first: int, end: int) -> int:
        """Send from datagram `first` up to `end`; return how many left, 0 where `errno` says why the first did not."""
        sent: int = self._sendmmsg(fileno, self._headers + first, end - first, _DONTWAIT)
        return max(0, sent)

    def send_one(self, fileno: int, octets: bytes, name: bytes) -> bool:
        """Send a datagram that was not put in, which takes the kernel less; return False where `errno` says why not."""
        sent: int = self._sendto(fileno, octets, len(octets), _DONTWAIT, name, len(name))
        return sent >= 0

    def send_placed(self, fileno: int, octets: bytes, name: bytes, control: bytes) -> bool:
        """Send a datagram with ancillary data, which must fit; return False where `errno` says why not."""
        self._buffer[: len(octets)] = octets
        self._lengths[0] = len(octets)
        self.names[: len(name)] = name
        self.controls[: len(control)] = control
        self.control_lengths[0] = len(control)
        return self.send(fileno, 0, 1) > 0


def _mapped(octets: int) -> Any:
    """Return a buffer of zeros.

    The kernel gives pages of it only as they are written to: nearly all datagrams are short. It is private, or
    processes would share it after a fork.
    """
    mapped = mmap.mmap(-1, octets, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return FFI.from_buffer("char[]", mapped, require_writable=True)
