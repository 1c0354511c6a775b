from collections.abc import Generator

from sinkhole.upstream.task import STEPPING, in_a_task


def steps(seen: list[bool], *inner: Generator[None, None, None]) -> Generator[None, None, None]:
    seen.append(STEPPING.is_on)
    for one in inner:
        STEPPING.next_of(one)
    seen.append(STEPPING.is_on)
    yield


def test_a_step_within_a_step_leaves_the_outer_one_as_it_was() -> None:
    seen: list[bool] = []
    STEPPING.next_of(steps(seen, steps(seen)))
    assert seen == [True] * 4
    assert not STEPPING.is_on


async def test_whoever_is_in_a_task_goes_on_at_once() -> None:
    assert list(in_a_task().__await__()) == []
