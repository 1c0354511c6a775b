from datetime import UTC, datetime, timedelta

from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer
from tests.transport.asking import question
from tests.transport.serving import Serving, address, ask, make_policy


async def test_no_client_keeps_an_answer_longer_than_the_policy_that_permits_it():
    """A timed allow that ends in 40 s must not live on in clients for the 300 s of the answer."""
    ends = datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(seconds=40)
    statement = Statement(1, Subject.from_text("domain:example.org"), Action.ALLOW, expires=ends)
    serving = Serving(policy=make_policy(statement))

    first = await ask(serving, question("example.org"))
    serving.wall.now += 30
    serving.clock.now += 30
    again = await ask(serving, question("example.org"))

    assert first.answer[0].ttl == 40
    assert again.answer[0].ttl == 10


async def test_no_client_keeps_an_answer_into_the_hours_in_which_it_is_blocked():
    """Also across a change of clocks: at 02:00 in Berlin it is 03:00, where the window begins."""
    schedule = schedule_from_text("02:30-06:00 @Europe/Berlin")
    statement = Statement(1, Subject.from_text("domain:example.org"), Action.BLOCK, schedule=schedule)
    serving = Serving(policy=make_policy(statement))
    serving.wall.now = datetime(2026, 3, 29, 0, 59, 20, tzinfo=UTC).timestamp()

    assert (await ask(serving, question("example.org"))).answer[0].ttl == 40


async def test_answer_that_an_edge_overtakes_is_for_this_query_alone():
    """It was judged before the edge, and another query began a new period while it waited."""
    schedule = schedule_from_text("12:01-13:00 @UTC")
    serving = Serving(policy=make_policy(Statement(1, Subject.from_text("ai"), Action.BLOCK, schedule=schedule)))

    async def handler(query):
        serving.wall.now += 60
        serving.dispatch.tick()
        return Answer(ReplyBody(0, answer=(address(query),)), None, 300)

    serving.dispatch._handler = handler
    reply = await ask(serving, question("example.org"))

    assert reply.answer[0].ttl == 0
    assert len(serving.cache) == 0


async def test_no_client_keeps_an_answer_longer_than_a_pause_or_into_a_lockdown():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    ends = noon + timedelta(seconds=40)
    pause = Override(OverrideKind.PAUSE, 1, (), ends)
    lockdown = Override(OverrideKind.LOCKDOWN, 1, (Subject.from_text("ai"),), ends + timedelta(hours=1), ends)
    for override in (pause, lockdown):
        serving = Serving(policy=make_policy(overrides=[override]))
        assert (await ask(serving, question("example.org"))).answer[0].ttl == 40


async def test_answer_that_a_new_policy_overtakes_is_kept_by_nobody():
    """The policy changed while it waited, and no other query has come since."""
    serving = Serving()

    async def handler(query):
        serving.box.current = make_policy(generation=2)
        return Answer(ReplyBody(0, answer=(address(query),)), None, 300)

    serving.dispatch._handler = handler
    assert (await ask(serving, question("example.org"))).answer[0].ttl == 0
    assert len(serving.cache) == 0
