"""What is done at the end of a turn."""

import asyncio

import pytest

from sinkhole.upstream.turn import Turn, Unfinished


class Call(Unfinished):
    def __init__(self, call):
        self._call = call

    def finish(self):
        self._call()


async def test_is_done_at_the_end_in_order_with_what_comes_up_on_the_way():
    turn, done = Turn(), []
    turn.begin()
    turn.later(Call(lambda: (done.append(1), turn.later(Call(lambda: done.append(3))))))
    turn.later(Call(lambda: done.append(2)))
    assert done == []
    turn.end()
    assert done == [1, 2, 3]


async def test_outside_of_a_turn_it_is_the_next_of_the_event_loop():
    turn, done = Turn(), []
    turn.later(Call(lambda: done.append(1)))
    assert done == []
    await asyncio.sleep(0)
    assert done == [1]


async def test_what_fails_does_not_take_the_others_with_it():
    turn, done = Turn(), []
    turn.begin()
    turn.later(Call(lambda: 1 / 0))
    turn.later(Call(lambda: done.append(2)))
    with pytest.raises(ZeroDivisionError):
        turn.end()
    assert not turn.is_on
    await asyncio.sleep(0)
    assert done == [2]
