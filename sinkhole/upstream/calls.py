"""The system calls that take many datagrams at once, by cffi.

Where the query path is compiled, they are linked into a module that cffi writes of the declarations below (its API
mode); elsewhere they are looked up at run time (its ABI mode). Both are called in the same way and do the same; the
first takes a third of the instructions.
"""

from importlib import import_module
from typing import Any, Final

import cffi

DECLARED: Final = """
    struct vector { void *start; size_t octets; };
    struct message {
        void *name; uint32_t name_octets; struct vector *vectors; size_t vector_count;
        void *control; size_t control_octets; int flags;
    };
    struct numbered { struct message message; unsigned int octets; };
    int recvmmsg(int fd, struct numbered *messages, unsigned int count, int flags, void *timeout);
    int sendmmsg(int fd, struct numbered *messages, unsigned int count, int flags);
    ssize_t recv(int fd, void *octets, size_t length, int flags);
    ssize_t sendto(int fd, const char *octets, size_t length, int flags, const char *name, uint32_t name_octets);
"""
"""iovec, msghdr and mmsghdr as Linux has them with 64-bit pointers, under names that no header has."""
LINKED: Final = "sinkhole.upstream._calls"
"""The module with the calls linked in."""


def declared() -> cffi.FFI:
    """Return what knows the declarations."""
    ffi = cffi.FFI()
    ffi.cdef(DECLARED)
    return ffi


def _found() -> tuple[Any, Any]:
    try:
        linked = import_module(LINKED)
    except ImportError as error:
        if not isinstance(error, ModuleNotFoundError):  # it is there, but not for this Python or this cffi
            from sinkhole.log import Log  # noqa: PLC0415 - whoever builds the module reads this one without the package

            Log("upstream").warning("calls.not_linked", error=error)
        ffi = declared()
        return ffi, ffi.dlopen(None)
    return linked.ffi, linked.lib


FFI, LIBRARY = _found()
"""What makes and reads buffers, and what has the calls; looked up at run time, it has none that the system has not."""
