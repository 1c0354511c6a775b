"""Run a worker as soon as a query wakes it, though another process is in the middle of its time on the core.

Linux gives a process that wakes the core at once only where its time slice is shorter than that of whoever runs
(EEVDF, since 6.12, whose slices are set by `sched_setattr`); it gets no more of the core for that. Without, an answer
waits for up to 3 ms beside a report. Where the system knows nothing of it, all stays as it is.
"""

import os
import struct
from typing import Any

import cffi

SLICE_US = 100
"""The shortest that Linux takes."""
_NUMBERS = {"x86_64": (314, 315), "aarch64": (274, 275), "riscv64": (274, 275)}
"""System calls `sched_setattr` and `sched_getattr`: the C library has had them for a short time only."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""size, policy, flags, nice, priority, runtime (ns), deadline, period: `struct sched_attr` as of Linux 3.14."""
_OTHER = (0, 3)
"""SCHED_OTHER and SCHED_BATCH; with another policy, somebody knew what he wanted."""
_ffi = cffi.FFI()
_ffi.cdef("long syscall(long number, ...);")


def take_short_turns() -> bool:
    """Ask for the shortest slice for this thread; return whether the system took it."""
    numbers = _NUMBERS.get(os.uname().machine)
    if numbers is None:
        return False
    found = _look(numbers[1])
    if found is None or found[1] not in _OTHER:
        return False
    size, policy, flags, nice, priority, _, deadline, period = found
    wanted = _ffi.new("char[]", _ATTRIBUTES.size)
    _ffi.buffer(wanted)[:] = _ATTRIBUTES.pack(size, policy, flags, nice, priority, SLICE_US * 1000, deadline, period)
    return _call(numbers[0], wanted, _ffi.cast("unsigned int", 0)) == 0 and slice_us() == SLICE_US


def slice_us() -> int:
    """Return the slice of this thread in microseconds, 0 where the system does not tell."""
    numbers = _NUMBERS.get(os.uname().machine)
    found = None if numbers is None else _look(numbers[1])
    return 0 if found is None else int(found[5]) // 1000


def _look(number: int) -> tuple[int, ...] | None:
    room = _ffi.new("char[]", _ATTRIBUTES.size)
    size = _ffi.cast("unsigned int", _ATTRIBUTES.size)
    if _call(number, room, size, _ffi.cast("unsigned int", 0)) != 0:
        return None
    return _ATTRIBUTES.unpack(_ffi.buffer(room)[:])


def _call(number: int, attributes: Any, *rest: Any) -> int:
    try:
        library: Any = _ffi.dlopen(None)
    except OSError:
        return -1
    return int(library.syscall(number, _ffi.cast("long", 0), attributes, *rest))
