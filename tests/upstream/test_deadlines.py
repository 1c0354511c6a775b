import asyncio

import pytest

from sinkhole.upstream.deadlines import Deadlines
from sinkhole.upstream.wait import NEVER, Wait


class Waiting(Wait):
    """Waits until each of some moments from now."""

    def __init__(self, deadlines: Deadlines, *after: float) -> None:
        loop = asyncio.get_running_loop()
        self.began = loop.time()
        self.left = sorted(self.began + seconds for seconds in after)
        self.told: list[float] = []
        self.deadlines = deadlines
        deadlines.watch(self, self.left[0])

    def expire(self, now: float) -> float:
        while self.left and self.left[0] <= now:
            self.told.append(self.left.pop(0) - self.began)
        if not self.left:
            self.deadlines.forget(self)
        return self.left[0] if self.left else NEVER


@pytest.fixture
async def armed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The timers that are set."""
    times: list[float] = []
    kind = type(asyncio.get_running_loop())
    call_at = kind.call_at

    def noting(self, when, *rest, **more):
        times.append(when)
        return call_at(self, when, *rest, **more)

    monkeypatch.setattr(kind, "call_at", noting)
    return times


def rounded(times: list[float]) -> list[float]:
    return [round(time, 3) for time in times]


async def test_each_is_told_when_it_is_over_and_no_sooner() -> None:
    deadlines = Deadlines()
    late, soon, twice = Waiting(deadlines, 0.3), Waiting(deadlines, 0.1), Waiting(deadlines, 0.05, 0.2)
    await asyncio.sleep(0.15)
    assert rounded(soon.told + twice.told) == [0.1, 0.05]
    assert late.told == []
    await asyncio.sleep(0.25)
    assert rounded(late.told + twice.told) == [0.3, 0.05, 0.2]


async def test_many_that_wait_to_the_end_are_not_looked_at_for_each_of_them() -> None:
    deadlines = Deadlines()
    asked = 0

    class Counting(Waiting):
        def expire(self, now: float) -> float:
            nonlocal asked
            asked += 1
            return super().expire(now)

    waits = [Counting(deadlines, 0.1 + number / 1000) for number in range(400)]
    await asyncio.sleep(0.8)
    assert all(wait.told for wait in waits)
    assert asked < 400 * 20  # at each end it would be 80,000


async def test_waits_that_end_early_need_one_timer(armed: list[float]) -> None:
    deadlines = Deadlines()
    for _ in range(100):
        wait = Waiting(deadlines, 0.03)
        deadlines.forget(wait)
        deadlines.forget(wait)
    assert len(armed) == 1
    await asyncio.sleep(0.05)
    assert wait.told == []
    assert not deadlines._waits


async def test_who_begins_while_others_end_is_not_forgotten() -> None:
    deadlines = Deadlines()
    begun: list[Waiting] = []

    class Ending(Waiting):
        def expire(self, now: float) -> float:
            begun.append(Waiting(deadlines, 0.01))
            return super().expire(now)

    Waiting(deadlines, 0.5)
    Ending(deadlines, 0.01)
    await asyncio.sleep(0.15)
    assert rounded(begun[0].told) == [0.01]
    assert len(begun) == 1


async def test_one_that_fails_is_told_again_and_takes_no_other_along(caplog: pytest.LogCaptureFixture) -> None:
    deadlines = Deadlines()

    class Failing(Waiting):
        def expire(self, now: float) -> float:
            if not self.told:
                self.told.append(0.0)
                raise ZeroDivisionError
            return super().expire(now)

    failing, other, later = Failing(deadlines, 0.01), Waiting(deadlines, 0.01), Waiting(deadlines, 0.05)
    await asyncio.sleep(0.3)
    assert "wait.failed" in caplog.text
    assert rounded(other.told) == [0.01]
    assert rounded(later.told) == [0.05]
    assert rounded(failing.told) == [0.0, 0.01]
