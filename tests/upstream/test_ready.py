import asyncio
import gc
import os
import socket
import weakref
from collections.abc import Callable, Iterator

import pytest

from sinkhole.upstream.ready import EpollReady, LoopReady, Ready, ready_of
from sinkhole.upstream.turn import TURN
from sinkhole.upstream.wait import Wait

BOTH = pytest.mark.parametrize("make", [EpollReady, LoopReady])


class Told(Wait):
    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    def receive(self) -> None:
        self._call()


@pytest.fixture
def pairs() -> Iterator[Callable[[], tuple[socket.socket, socket.socket]]]:
    made: list[socket.socket] = []

    def pair() -> tuple[socket.socket, socket.socket]:
        two = socket.socketpair(type=socket.SOCK_DGRAM)
        made.extend(two)
        return two

    yield pair
    for sock in made:
        sock.close()


async def some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@BOTH
async def test_whoever_can_read_is_called_in_a_turn(make: Callable[[], Ready], pairs) -> None:
    ready, heard = make(), []
    near, far = pairs()

    def read() -> None:
        heard.append((near.recv(9), TURN.is_on))

    ready.watch(near.fileno(), Told(read))
    await some_turns()
    assert heard == []
    far.send(b"one")
    await some_turns()
    far.send(b"two")
    await some_turns()
    ready.forget(near.fileno())
    assert heard == [(b"one", True), (b"two", True)]
    assert not TURN.is_on


@BOTH
async def test_one_that_is_closed_by_another_is_not_called(make: Callable[[], Ready], pairs) -> None:
    ready, heard = make(), []
    both = [pairs(), pairs()]

    def take(which: int) -> None:
        heard.append(which)
        for near, _ in both:
            ready.forget(near.fileno())

    for which, (near, far) in enumerate(both):
        ready.watch(near.fileno(), Told(lambda which=which: take(which)))
        far.send(b"x")
    await some_turns()
    assert len(heard) == 1


@BOTH
async def test_one_that_fails_holds_up_no_other(make: Callable[[], Ready], pairs) -> None:
    ready, heard, told = make(), [], []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))
    bad, good = pairs(), pairs()

    def fail() -> None:
        bad[0].recv(9)
        raise ValueError("it failed")

    ready.watch(bad[0].fileno(), Told(fail))
    ready.watch(good[0].fileno(), Told(lambda: heard.append(good[0].recv(9))))
    for _, far in (bad, good):
        far.send(b"x")
    await some_turns()
    for near, _ in (bad, good):
        ready.forget(near.fileno())
    assert heard == [b"x"]
    assert [str(error) for error in told] == ["it failed"]
    assert not TURN.is_on


async def test_where_several_are_waited_for_all_are_told_in_the_order_of_their_answers(pairs) -> None:
    ready, heard = EpollReady(), []
    both = [pairs(), pairs()]

    def take(which: int) -> None:
        if ready.deadlines.is_watched(waits[which]):
            heard.append((which, both[which][0].recv(9)))
            ready.deadlines.forget(waits[which])

    waits = [Told(lambda which=which: take(which)) for which in range(2)]
    for (near, far), wait in zip(both, waits, strict=True):
        ready.watch(near.fileno(), wait)
        ready.deadlines.watch(wait, asyncio.get_running_loop().time() + 60)
        far.send(b"x")
    ready.deadlines.vigil.awaited = waits[1]
    await some_turns()
    assert heard == [(0, b"x"), (1, b"x")]


async def test_where_it_is_not_the_awaited_one_the_others_are_told_in_the_same_turn(pairs) -> None:
    ready, heard = EpollReady(), []
    idle, busy = pairs(), pairs()
    awaited = Told(lambda: heard.append("nothing"))
    ready.watch(idle[0].fileno(), awaited)
    ready.deadlines.watch(awaited, asyncio.get_running_loop().time() + 60)
    ready.watch(busy[0].fileno(), Told(lambda: heard.append(busy[0].recv(9))))
    ready.deadlines.vigil.awaited = awaited
    busy[1].send(b"x")
    await some_turns()
    assert heard == ["nothing", b"x"]


@BOTH
async def test_forgetting_what_is_not_watched_does_nothing(make: Callable[[], Ready], pairs) -> None:
    make().forget(pairs()[0].fileno())


def test_each_loop_has_one_and_keeps_nothing_alive() -> None:
    async def of_this_loop() -> tuple[weakref.ref[asyncio.AbstractEventLoop], int, bool]:
        loop = asyncio.get_running_loop()
        ready = ready_of(loop)
        assert isinstance(ready, EpollReady)
        return weakref.ref(loop), ready._epoll.fileno(), ready_of(loop) is ready

    loop, epoll, is_one = asyncio.run(of_this_loop())
    assert is_one
    gc.collect()
    assert loop() is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(epoll)


async def test_without_epoll_the_loop_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("select.epoll")
    assert isinstance(ready_of(asyncio.get_running_loop()), LoopReady)
