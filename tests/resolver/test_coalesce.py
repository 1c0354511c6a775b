import asyncio
import contextlib

import pytest

from sinkhole.policy.statement import Group
from tests.resolver.world import vendor


async def start(world, *texts, **options):
    tasks = [asyncio.create_task(world.answer(text, **options)) for text in texts]
    while not world.upstream.asked:
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


@pytest.fixture
def world(make_world):
    world = make_world()
    world.upstream.say("example.org A", "example.org 0 A 192.0.2.1")
    world.upstream.open.clear()
    return world


async def test_equal_questions_share_one_flight(world):
    """R-C04: also in another letter case."""
    tasks = await start(world, *["example.org A", "EXAMPLE.org A"] * 30)
    world.upstream.open.set()
    answers = await asyncio.gather(*tasks)
    assert {len(answer.body.answer) for answer in answers} == {1}
    assert len(world.upstream.asked) == 1


async def test_different_questions_do_not(world):
    tasks = await start(world, "example.org A", "example.org AAAA", "example.net A")
    tasks += await start(world, "example.org A", do=True)
    world.upstream.open.set()
    await asyncio.gather(*tasks)
    assert len(world.upstream.asked) == 4


async def test_cancelled_waiter_does_not_end_the_flight_of_others(world):
    """R-C04"""
    first, second = await start(world, "example.org A", "example.org A")
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    world.upstream.open.set()
    assert (await second).body.answer
    assert len(world.upstream.asked) == 1


async def test_next_question_after_the_flight_begins_a_new_one(world):
    world.upstream.open.set()
    await world.answer("example.org A")
    await world.answer("example.org A")
    assert len(world.upstream.asked) == 2
    assert world.chain.busy == 0


async def test_exception_reaches_every_waiter(world):
    world.upstream.fail("example.org A", RuntimeError("bug"))
    tasks = await start(world, "example.org A", "example.org A")
    world.upstream.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [RuntimeError, RuntimeError]


async def test_close_ends_flights(world):
    (task,) = await start(world, "example.org A")
    await world.chain.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert world.chain.busy == 0


async def test_clients_of_different_groups_share_a_flight_and_not_a_verdict(make_world):
    """R-C04, R-C21"""
    world = make_world(
        vendors=[vendor("deepseek", "deepseek.example")],
        groups=[Group("pupils", ("192.0.2.64/26",))],
        policy=["block vendor:deepseek @pupils"],
    )
    world.upstream.say(
        "www.example.org A", "www.example.org 60 CNAME deepseek.example", "deepseek.example 60 A 192.0.2.1"
    )
    world.upstream.open.clear()
    (teacher,) = await start(world, "www.example.org", client="192.0.2.1")
    (pupil,) = await start(world, "www.example.org", client="192.0.2.70")
    world.upstream.open.set()
    assert not (await teacher).is_blocked
    assert (await pupil).is_blocked
    assert len(world.upstream.asked) == 1
