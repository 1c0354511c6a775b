"""The system calls by cffi: declared as the system has them, and linked in where the query path is compiled."""

import errno
import socket
import struct
import sys

from sinkhole.transport.code import CODE
from sinkhole.upstream import calls
from sinkhole.upstream.batch import Inbox


def test_they_are_linked_in_where_the_query_path_is_compiled() -> None:
    assert (calls.LINKED in sys.modules) is (CODE == "compiled")


def test_a_module_that_does_not_fit_is_told_of_and_the_calls_are_looked_up(monkeypatch, caplog) -> None:
    def fail(name: str) -> None:
        raise ImportError(f"{name} was made for another cffi")

    monkeypatch.setattr(calls, "import_module", fail)
    ffi, library = calls._found()
    assert "calls.not_linked" in caplog.text
    assert library.sendmmsg(-1, ffi.NULL, 1, 0) == -1
    assert ffi.errno == errno.EBADF


def test_structures_are_those_of_the_kernel() -> None:
    """Of an x86_64 or aarch64: <bits/types/struct_iovec.h>, <bits/socket.h>."""
    assert struct.calcsize("P") == 8
    sizes = {kind: calls.FFI.sizeof(f"struct {kind}") for kind in ("vector", "message", "numbered")}
    assert sizes == {"vector": 16, "message": 56, "numbered": 64}
    fields = ("name", "name_octets", "vectors", "vector_count", "control", "control_octets", "flags")
    assert [calls.FFI.offsetof("struct message", field) for field in fields] == [0, 8, 16, 24, 32, 40, 48]


def test_silence_is_nothing_that_came_and_no_error() -> None:
    box = Inbox(4, 64, 512)
    with socket.socket(type=socket.SOCK_DGRAM) as near, socket.socket(type=socket.SOCK_DGRAM) as far:
        for sock in (near, far):
            sock.bind(("127.0.0.1", 0))
        near.connect(far.getsockname())
        assert box.is_silent(near.fileno())
        far.sendto(bytes(600), near.getsockname())
        assert not box.is_silent(near.fileno())
        assert box.is_silent(near.fileno())
        far.close()
        near.send(b"x")
        assert not box.is_silent(near.fileno())
        assert box.errno == errno.ECONNREFUSED


def test_one_is_taken_in_whole() -> None:
    box = Inbox(1, 64, 4096)
    near, far = socket.socketpair(type=socket.SOCK_DGRAM)
    with near, far:
        assert (box.receive_one(near.fileno()), box.errno) == (None, errno.EAGAIN)
        for octets in (b"", b"x", bytes(range(64)) * 64):
            far.send(octets)
            assert box.receive_one(near.fileno()) == octets
        far.send(bytes(4097))
        assert box.receive_one(near.fileno()) == bytes(4096)
    assert (box.receive_one(near.fileno()), box.errno) == (None, errno.EBADF)
