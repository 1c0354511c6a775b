"""One stream to one receiver: at its pace, again, in order, and what it refuses is kept."""

import asyncio
import json

import pytest

from sinkhole.out.dead_letter import DeadLetters
from sinkhole.out.delivery import FIRST_PAUSE, LONGEST_PAUSE, Delivery, Lot
from sinkhole.out.sender import RefusedError, WaitError
from tests.out.events import hit


class Stream:
    """Lots of two events each, `number` of them."""

    def __init__(self, number):
        self.left = [Lot((hit(2 * n), hit(2 * n + 1)), 2 * n + 1) for n in range(number)]
        self.ends = []
        self.failures = []

    async def next(self):
        return self.left.pop(0) if self.left else None

    async def advance(self, lot):
        self.ends.append(lot.end)

    async def note_failure(self, why):
        self.failures.append(why)


class Sender:
    """Raises what it is given, one for each try, then takes everything."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.taken = []

    async def send(self, events):
        if self.errors:
            raise self.errors.pop(0)
        self.taken += [event.id for event in events]

    async def close(self):
        pass


class Time:
    """A clock that waiting moves on."""

    def __init__(self):
        self.now = 0.0
        self.pauses = []

    async def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def delivery(stream, sender, **options):
    time = Time()
    return Delivery("siem", stream, sender, asyncio.Lock(), clock=lambda: time.now, sleep=time.sleep, **options), time


async def test_what_is_there_is_sent_in_order_and_noted():
    stream, sender = Stream(3), Sender()
    one, _ = delivery(stream, sender)
    assert [await one.step() for _ in range(4)] == [True, True, True, False]
    assert sender.taken == list(range(6))
    assert stream.ends == [1, 3, 5]


async def test_a_receiver_that_is_away_is_tried_again_with_growing_pauses_and_jitter():
    stream, sender = Stream(1), Sender(*[WaitError("it is away")] * 12)
    one, time = delivery(stream, sender)
    await one.step()
    assert sender.taken == [0, 1]
    assert stream.failures == ["it is away"] * 12
    steps = [min(LONGEST_PAUSE, FIRST_PAUSE * 2**n) for n in range(12)]
    assert all(0.5 * step <= pause <= 1.5 * step for step, pause in zip(steps, time.pauses, strict=True))
    assert len({pause / step for step, pause in zip(steps, time.pauses, strict=True)}) > 1, "jitter"
    sender.errors = [WaitError("again")]
    stream.left = [Lot((hit(9),), 9)]
    await one.step()
    assert time.pauses[-1] <= 1.5 * FIRST_PAUSE, "after a success the pauses begin anew"


async def test_a_receiver_may_ask_for_a_longer_pause():
    one, time = delivery(Stream(1), Sender(WaitError("busy", 100.0, is_answer=True)))
    await one.step()
    assert 50 <= time.pauses[0] <= 150


async def test_what_is_refused_goes_to_the_dead_letters_and_the_rest_goes_on(tmp_path, caplog):
    stream, sender = Stream(2), Sender(RefusedError("it answered with HTTP status 400"))
    dead = DeadLetters(tmp_path / "x.jsonl", 100_000)
    one, time = delivery(stream, sender, dead=dead)
    await one.step()
    await one.step()
    assert sender.taken == [2, 3]
    assert stream.ends == [1, 3]
    assert time.pauses == []
    letter = json.loads(dead.path.read_text())
    assert [event["uid"] for event in letter["events"]] == ["hit-0", "hit-1"]
    assert "out.refused receiver=siem events=2" in caplog.text


async def test_what_is_answered_with_errors_for_too_long_is_given_up(tmp_path):
    """One batch that makes a receiver fail must not hold up all that follow."""
    errors = [WaitError("it answered with HTTP status 500", is_answer=True)] * 50
    stream, sender = Stream(2), Sender(*errors)
    dead = DeadLetters(tmp_path / "x.jsonl", 100_000)
    one, time = delivery(stream, sender, dead=dead, give_up=600)
    await one.step()
    assert 600 <= time.now <= 1100
    assert dead.path.exists()
    sender.errors.clear()
    await one.step()
    assert sender.taken == [2, 3]


async def test_one_that_does_not_answer_at_all_is_never_given_up(tmp_path):
    stream, sender = Stream(1), Sender(*[WaitError("away")] * 60)
    dead = DeadLetters(tmp_path / "x.jsonl", 100_000)
    one, time = delivery(stream, sender, dead=dead, give_up=600)
    await one.step()
    assert time.now > 10_000
    assert sender.taken == [0, 1]
    assert not dead.path.exists()


async def test_lots_in_which_nothing_is_meant_for_it_are_passed():
    stream, sender = Stream(0), Sender(RuntimeError("must not be called"))
    stream.left = [Lot((), 7)]
    one, _ = delivery(stream, sender)
    assert await one.step()
    assert stream.ends == [7]


async def test_whatever_goes_wrong_the_task_lives(caplog):
    stream, sender = Stream(2), Sender(RuntimeError("a bug"))
    one, _ = delivery(stream, sender)
    task = asyncio.ensure_future(one.run())
    async with asyncio.timeout(2):
        while sender.taken != [2, 3]:
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "out.failed" in caplog.text


async def test_two_streams_share_a_sender_one_at_a_time():
    class Slow(Sender):
        inside = 0

        async def send(self, events):
            self.inside += 1
            assert self.inside == 1
            await asyncio.sleep(0.001)
            self.inside -= 1
            await super().send(events)

    sender, lock = Slow(), asyncio.Lock()
    streams = [Stream(3), Stream(3)]
    tasks = [Delivery("x", stream, sender, lock) for stream in streams]
    for _ in range(3):
        await asyncio.gather(*(task.step() for task in tasks))
    assert len(sender.taken) == 12
