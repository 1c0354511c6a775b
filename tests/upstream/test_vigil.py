import asyncio
import random
import selectors
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from sinkhole.upstream.failure import UpstreamTimeout
from sinkhole.upstream.turn import TURN, Unfinished
from sinkhole.upstream.udp import Datagrams
from sinkhole.upstream.vigil import Vigil
from tests.upstream.asking import asking, budget
from tests.upstream.test_ready import Told


class Rounds(asyncio.AbstractEventLoop):
    """Goes round when told to; the time is what is set."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._due: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    @property
    def is_asleep(self) -> bool:
        return not self._due

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        self._due.append((callback, args))

    def go_round(self) -> None:
        due, self._due = self._due, []
        for callback, args in due:
            callback(*args)


def nothing() -> Told:
    """Return what waits, and finds nothing to read."""
    return Told(lambda: None)


def test_it_is_awake_until_the_answer_comes_and_looks_for_it_each_time() -> None:
    looked: list[bool] = []
    one, other = Told(lambda: looked.append(TURN.is_on)), nothing()
    loop, waits = Rounds(), dict.fromkeys((one, other))
    vigil = Vigil(waits, lambda: loop.now)
    vigil.begin(loop, one)
    for _ in range(5):
        loop.now += 0.00001
        loop.go_round()
        assert not loop.is_asleep
    assert looked == [True] * 5
    del waits[one]
    loop.go_round()
    assert loop.is_asleep


def test_a_look_that_fails_does_not_end_it() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    one = Told(fail)
    loop, waits = Rounds(), {one: None}
    vigil = Vigil(waits, lambda: loop.now)
    vigil.begin(loop, one)
    with pytest.raises(ZeroDivisionError):
        loop.go_round()
    assert (loop.is_asleep, TURN.is_on) == (False, False)
    del waits[one]
    loop.go_round()
    assert loop.is_asleep
    assert vigil.awaited is None


def test_the_next_query_lengthens_it() -> None:
    loop, one, other = Rounds(), nothing(), nothing()
    vigil = Vigil({one: None, other: None}, lambda: loop.now)
    vigil.begin(loop, one)
    loop.now += 0.00015
    loop.go_round()
    vigil.begin(loop, other)
    loop.now += 0.00015
    loop.go_round()
    assert not loop.is_asleep
    loop.now += 0.0001
    loop.go_round()
    assert loop.is_asleep


class Rest(Unfinished):
    """Notes when it is finished."""

    def __init__(self, done: list[bool]) -> None:
        self._done = done

    def finish(self) -> None:
        self._done.append(TURN.is_on)


@pytest.mark.parametrize("comes", [True, False], ids=["it comes", "it does not come"])
def test_what_nobody_waits_for_is_done_behind_the_answer(comes: bool) -> None:
    one, done = nothing(), []
    loop, waits = Rounds(), {one: None}
    vigil = Vigil(waits, lambda: loop.now)
    vigil.begin(loop, one)
    TURN.run(lambda: vigil.after(Rest(done)))
    loop.go_round()
    assert not done
    if comes:
        del waits[one]
    loop.now += 0.001
    loop.go_round()
    assert done == [True]
    TURN.run(lambda: vigil.after(Rest(done)))  # nobody is waited for any more
    assert done == [True, True]
    assert loop.is_asleep


def test_what_an_answer_leaves_to_do_is_done_in_its_turn() -> None:
    one, done = nothing(), []
    loop, waits = Rounds(), {one: None}
    vigil = Vigil(waits, lambda: loop.now)
    vigil.begin(loop, one)
    del waits[one]
    TURN.run(lambda: vigil.after(Rest(done)))
    assert done == [True]


def awake(rate: float, seconds: float, takes: Callable[[random.Random], float]) -> tuple[float, float]:
    """Ask at random moments; return the shares of queries that were waited for, and of the time that that took."""
    upstream = nothing()
    loop, waits = Rounds(), {upstream: None}
    vigil = Vigil(waits, lambda: loop.now)
    chance = random.Random(1)
    asked, kept, spent = 0, 0, 0.0
    end = loop.now + seconds
    while loop.now < end:
        loop.now += chance.expovariate(rate)
        asked += 1
        waits[upstream] = None
        vigil.begin(loop, upstream)
        kept += not loop.is_asleep
        began, answer = loop.now, loop.now + takes(chance)
        while not loop.is_asleep:
            loop.now += 0.00001
            if loop.now >= answer:
                waits.clear()
            loop.go_round()
        spent += loop.now - began
    return kept / asked, spent / seconds


@pytest.mark.parametrize("rate", [10, 100, 1000])
def test_far_upstreams_cost_next_to_nothing(rate: float) -> None:
    """Their answers come after the longest wait."""
    kept, spent = awake(rate, 20_000 / rate, lambda _: 0.001)
    assert kept < 0.005
    assert spent < 0.0005


def test_near_ones_are_always_waited_for() -> None:
    kept, spent = awake(250, 20, lambda _: 0.00008)
    assert kept == 1
    assert spent < 0.025


@pytest.mark.parametrize("rate", [50, 250, 1000])
def test_one_that_is_slow_now_and_then_is_waited_for_mostly(rate: float) -> None:
    """As a resolver on the same machine that has four of five answers at hand."""
    kept, spent = awake(rate, 20_000 / rate, lambda chance: 0.00005 if chance.random() < 0.8 else 0.01)
    assert kept > 0.5
    assert spent < 0.055


@pytest.mark.parametrize("rate", [2000, 5000])
def test_it_takes_no_more_than_a_twentieth_of_a_core(rate: float) -> None:
    kept, spent = awake(rate, 20_000 / rate, lambda _: 0.00018)
    assert kept > 0.05
    assert spent < 0.055


def test_queries_that_come_all_the_time_do_not_keep_it_awake() -> None:
    loop, far = Rounds(), nothing()
    vigil = Vigil({far: None}, lambda: loop.now)
    rounds = 0
    for _ in range(2000):
        vigil.begin(loop, far)
        rounds += not loop.is_asleep
        loop.now += 0.0001
        loop.go_round()
    assert 10 <= rounds < 150


class Selector(selectors.DefaultSelector):
    """Tells how long each wait might have been."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.waits.append(timeout)
        return super().select(timeout)


def test_loop_goes_round_when_a_query_has_left() -> None:
    selector = Selector()

    async def ask(datagrams: Datagrams) -> list[float | None]:
        flight = datagrams.begin(asking(), "127.0.0.1", budget(), timeout=0.1)
        selector.waits.clear()
        with pytest.raises(UpstreamTimeout):
            await flight
        return selector.waits

    loop = asyncio.SelectorEventLoop(selector)
    with closing(loop), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with closing(Datagrams(silent.getsockname()[1], randomize_case=True)) as datagrams:
            leaves, *then = loop.run_until_complete(ask(datagrams))
    assert leaves == 0
    assert then[0] == 0
    assert max(filter(None, then)) > 0.05
