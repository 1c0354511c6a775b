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


async def test_what_somebody_waits_for_comes_first():
    turn, done = Turn(), []
    turn.begin()
    turn.behind(Call(lambda: (done.append("kept"), turn.later(Call(lambda: done.append("sent late"))))))
    turn.later(Call(lambda: done.append("sent")))
    turn.flush()
    assert done == ["sent"]
    turn.later(Call(lambda: done.append("sent too")))
    turn.end()
    assert done == ["sent", "sent too", "kept", "sent late"]
    assert not turn.is_on


async def test_outside_of_a_turn_it_is_the_next_of_the_event_loop():
    turn, done = Turn(), []
    turn.behind(Call(lambda: done.append(1)))
    turn.later(Call(lambda: done.append(2)))
    assert done == []
    await asyncio.sleep(0)
    assert done == [1, 2]


async def test_end_of_the_process_is_no_end_of_what_is_left():
    turn, done = Turn(), []

    def stop():
        raise KeyboardInterrupt

    turn.begin()
    turn.later(Call(lambda: done.append(1)))
    turn.later(Call(stop))
    turn.later(Call(lambda: done.append(2)))
    turn.behind(Call(lambda: done.append(3)))
    with pytest.raises(KeyboardInterrupt):
        turn.end()
    assert (done, turn.is_on) == ([1], False)
    await asyncio.sleep(0)
    assert done == [1, 2, 3]


async def test_what_fails_does_not_take_the_others_with_it(caplog):
    turn, done = Turn(), []
    turn.begin()
    turn.later(Call(lambda: 1 / 0))
    turn.later(Call(lambda: done.append(2)))
    turn.behind(Call(lambda: 1 / 0))
    turn.behind(Call(lambda: done.append(3)))
    turn.end()
    assert not turn.is_on
    assert done == [2, 3]
    assert caplog.text.count("turn.failed") == 2
