import os
import socket
from collections.abc import Callable, Iterator

import pytest

from sinkhole.upstream import batch
from sinkhole.upstream.batch import Outbox, is_supported
from sinkhole.upstream.batch_volley import BatchVolley
from sinkhole.upstream.udp import shared_volley
from sinkhole.upstream.volley import Volley

MOST = 4
BOTH = pytest.mark.parametrize("make", [Volley, BatchVolley])
Make = Callable[[int], Volley]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    two = socket.socketpair(type=socket.SOCK_DGRAM)
    for sock in two:
        sock.setblocking(False)
    yield two
    for sock in two:
        sock.close()


@BOTH
@pytest.mark.parametrize("sizes", [[1], [1, 4096, 0, 300], [12, 12], [40], [512, 513, 511], [4096, 4095, 4096, 1]])
def test_what_is_sent_arrives_each_for_itself(make: Make, pair, sizes: list[int]) -> None:
    volley, (near, far) = make(MOST), pair
    for _ in range(3):
        datagrams = [os.urandom(size) for size in sizes]
        volley.send(near, datagrams)
        assert volley.receive(far, len(sizes)) == datagrams


@BOTH
def test_nothing_is_waiting(make: Make, pair) -> None:
    assert make(MOST).receive(pair[0], 1) == []
    assert make(MOST).receive(pair[0], 3) == []


@BOTH
def test_no_more_are_taken_at_once_than_there_is_room_for(make: Make, pair) -> None:
    near, far = pair
    for number in range(MOST + 2):
        near.send(bytes([number]))
    volley = make(MOST)
    assert volley.receive(far, 9) == [bytes([number]) for number in range(MOST)]
    assert volley.receive(far, 9) == [bytes([number]) for number in range(MOST, MOST + 2)]


@BOTH
@pytest.mark.parametrize("wanted", [1, 2])
def test_unreachable_port_is_told(make: Make, wanted: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as free, socket.socket(type=socket.SOCK_DGRAM) as sock:
        free.bind(("127.0.0.1", 0))
        sock.connect(free.getsockname())
        sock.setblocking(False)
        free.close()
        volley = make(MOST)
        volley.send(sock, [b"query"])
        with pytest.raises(ConnectionRefusedError):
            volley.receive(sock, wanted)
        volley.send(sock, [b"query"])
        with pytest.raises(ConnectionRefusedError):
            volley.send(sock, [b"query", b"another"])


@BOTH
def test_what_came_before_a_failure_is_not_lost(make: Make) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as far, socket.socket(type=socket.SOCK_DGRAM) as near:
        far.bind(("127.0.0.1", 0))
        near.connect(far.getsockname())
        near.setblocking(False)
        near.send(b"query")
        far.sendto(b"answer", near.getsockname())
        far.close()
        volley = make(MOST)
        assert volley.receive(near, 2) == [b"answer"]
        near.send(b"query")
        with pytest.raises(ConnectionRefusedError):
            volley.receive(near, 2)


def test_one_that_is_too_long_is_an_error_and_goes_nowhere(pair) -> None:
    near, far = pair
    volley = BatchVolley(MOST)
    with pytest.raises(OSError, match="too long"):
        volley.send(near, [b"x", bytes(5000)])
    volley.send(near, [b"a", b"b"])
    assert volley.receive(far, 9) == [b"a", b"b"]


def test_the_best_that_the_system_has_is_taken() -> None:
    assert isinstance(shared_volley(), BatchVolley) == is_supported()


@pytest.mark.interpreted
def test_system_without_the_calls_sends_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "is_supported", lambda: False)
    shared_volley.cache_clear()
    assert not isinstance(shared_volley(), BatchVolley)
    shared_volley.cache_clear()


def test_processes_do_not_share_their_buffers(pair) -> None:
    """They are made once, and workers are forked."""
    box = Outbox(2, 64)
    box.fill(b"mine", [4])
    child = os.fork()
    if not child:
        box.fill(b"his!", [4])
        os._exit(0)
    os.waitpid(child, 0)
    near, far = pair
    assert box.send(near.fileno(), 0, 1) == 1
    assert far.recv(9) == b"mine"
