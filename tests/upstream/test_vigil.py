import asyncio
import selectors
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from sinkhole.upstream.failure import UpstreamTimeout
from sinkhole.upstream.udp import Datagrams
from sinkhole.upstream.vigil import Vigil
from tests.upstream.asking import asking, budget


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


def test_it_is_awake_until_the_answer_comes() -> None:
    loop, waits = Rounds(), {"one": None, "other": None}
    vigil = Vigil(waits, lambda: loop.now)
    vigil.begin(loop, "one")
    for _ in range(5):
        loop.now += 0.00001
        loop.go_round()
        assert not loop.is_asleep
    del waits["one"]
    loop.go_round()
    assert loop.is_asleep


def test_the_next_query_lengthens_it() -> None:
    loop = Rounds()
    vigil = Vigil({"one": None, "other": None}, lambda: loop.now)
    vigil.begin(loop, "one")
    loop.now += 0.00015
    loop.go_round()
    vigil.begin(loop, "other")
    loop.now += 0.00015
    loop.go_round()
    assert not loop.is_asleep
    loop.now += 0.0001
    loop.go_round()
    assert loop.is_asleep


def test_far_upstreams_cost_next_to_nothing() -> None:
    """A hundred queries a second for ten minutes, whose answers come after the longest wait."""
    loop = Rounds()
    vigil = Vigil({"far": None}, lambda: loop.now)
    kept = 0
    for _ in range(60_000):
        vigil.begin(loop, "far")
        kept += not loop.is_asleep
        loop.now += 0.001
        loop.go_round()
        assert loop.is_asleep
        loop.now += 0.009
    assert 5 <= kept < 25


def test_one_that_is_slow_now_and_then_is_waited_for_all_the_same() -> None:
    """As a resolver on the same machine that has nine of ten answers at hand."""
    loop, waits = Rounds(), {"near": None}
    vigil = Vigil(waits, lambda: loop.now)
    kept = 0
    for number in range(1000):
        waits["near"] = None
        vigil.begin(loop, "near")
        kept += not loop.is_asleep
        if number % 10:
            waits.clear()
        else:
            loop.now += 0.001
        loop.go_round()
        assert loop.is_asleep
        loop.now += 0.01
    assert kept > 850


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
