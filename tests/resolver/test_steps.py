"""Queries that take their steps without a task: the same answers, and no task where none is needed."""

import asyncio

import pytest

from sinkhole.config.schema import UpstreamSettings
from sinkhole.errors import UpstreamError
from sinkhole.resolver.answer import Source
from sinkhole.resolver.background import Background
from sinkhole.resolver.steps import Steps
from sinkhole.upstream.forwarder import Forwarder
from sinkhole.upstream.task import in_a_task
from tests.fakes import FakeUpstream, answers
from tests.resolver.world import World


class Told:
    """Remembers what it is told of the end of a query."""

    def __init__(self) -> None:
        self.answer = None
        self.error = None
        self.is_over = asyncio.Event()

    def __call__(self, answer, error) -> None:
        self.answer, self.error = answer, error
        self.is_over.set()


def begin(world, text, **options):
    """Begin a query as a listener does, outside of any task, and return what will be told."""
    told = Told()

    def start() -> None:
        answer = world.chain.begin(world.query(text, **options), told)
        if answer is not None:
            told(answer, None)

    asyncio.get_running_loop().call_soon(start)
    return told


@pytest.fixture
def world(make_world):
    return make_world(policy=["block domain:blocked.example", "monitor domain:example.org"])


async def test_answer_that_needs_no_waiting_is_given_at_once(world):
    told = Told()
    answer = world.chain.begin(world.query("x.blocked.example A"), told)
    assert answer.is_blocked
    assert not told.is_over.is_set()


async def test_answer_comes_later_and_is_counted_once(world):
    world.upstream.say("example.org A", "example.org 60 A 192.0.2.1")
    world.upstream.open.clear()
    told = begin(world, "example.org A")
    for _ in range(5):
        await asyncio.sleep(0)
    assert not told.is_over.is_set()
    assert world.hits.drain(10) == []
    world.upstream.open.set()
    await told.is_over.wait()
    assert told.answer.source is Source.UPSTREAM
    assert [(row.name, row.count) for row in world.hits.drain(10)] == [("example.org", 1)]


async def test_equal_questions_share_one_flight_with_tasks_and_without(world):
    """R-C04"""
    world.upstream.say("example.org A", "example.org 0 A 192.0.2.1")
    world.upstream.open.clear()
    told = [begin(world, "example.org A") for _ in range(3)]
    await asyncio.sleep(0)
    tasks = [asyncio.create_task(world.answer("EXAMPLE.org A")) for _ in range(2)]
    for _ in range(5):
        await asyncio.sleep(0)
    world.upstream.open.set()
    bodies = [(await task).body for task in tasks]
    for one in told:
        await one.is_over.wait()
        bodies.append(one.answer.body)
    assert len({body.answer for body in bodies}) == 1
    assert world.upstream.asked == ["example.org A"]


async def test_exception_is_told_to_all_that_wait(world):
    world.upstream.fail("example.org A", RuntimeError("bug"))
    world.upstream.open.clear()
    told = [begin(world, "example.org A") for _ in range(2)]
    for _ in range(5):
        await asyncio.sleep(0)
    world.upstream.open.set()
    for one in told:
        await one.is_over.wait()
        assert (one.answer, type(one.error)) == (None, RuntimeError)


async def test_chain_of_names_is_followed_in_a_task(world):
    """What needs a task gets one: here the time-out for all links together."""
    world.upstream.say("example.org A", "example.org 60 CNAME www.example.net")
    world.upstream.say("www.example.net A", "www.example.net 60 A 192.0.2.7")
    told = begin(world, "example.org A")
    await told.is_over.wait()
    assert [record.rdata for record in told.answer.body.answer if record.rtype == 1] == [bytes((192, 0, 2, 7))]
    await world.refreshed()


async def test_chain_to_a_blocked_name_is_blocked(world):
    world.upstream.say("cloak.example.net A", "cloak.example.net 60 CNAME x.blocked.example")
    told = begin(world, "cloak.example.net A")
    await told.is_over.wait()
    assert told.answer.is_blocked
    assert world.upstream.asked == ["cloak.example.net A"]


async def test_policy_that_changed_meanwhile_judges_the_answer(world):
    """R-C20"""
    world.upstream.say("example.net A", "example.net 60 A 192.0.2.1")
    world.upstream.open.clear()
    told = begin(world, "example.net A")
    for _ in range(5):
        await asyncio.sleep(0)
    world.swap("block domain:example.net")
    world.upstream.open.set()
    await told.is_over.wait()
    assert told.answer.is_blocked


async def test_failure_of_the_first_try_is_made_good_by_others_in_a_task():
    """R-C12: the first try needs no task, fail-over does."""
    async with (
        FakeUpstream(lambda _: []) as dead,
        FakeUpstream(answers({("www.example.org", "A"): ["192.0.2.1"]})) as up,
    ):
        forwarder = Forwarder(UpstreamSettings(servers=(dead.url, up.url), strategy="ordered", timeout=0.1))
        world = World(forwarder=forwarder)
        told = begin(world, "www.example.org A")
        await told.is_over.wait()
        assert told.error is None
        assert [record.rdata for record in told.answer.body.answer] == [bytes((192, 0, 2, 1))]
        await world.chain.close()
        await forwarder.close()


@pytest.mark.parametrize("is_in_task", [False, True])
async def test_query_whose_wait_is_given_up_is_told_of(is_in_task):
    """R-C11: a connection that is closed under it ends a query, and does not lose it."""
    wait = asyncio.get_running_loop().create_future()

    async def chain():
        if is_in_task:
            await in_a_task()
        await wait

    steps = chain().__await__()
    told, background = Told(), Background()
    Steps(steps, told, background).wait_for(next(steps))
    await asyncio.sleep(0)
    wait.cancel()
    await asyncio.wait_for(told.is_over.wait(), 5)
    assert isinstance(told.error, UpstreamError)
    await background.close()
