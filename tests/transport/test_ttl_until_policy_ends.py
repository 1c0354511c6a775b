from datetime import UTC, datetime, timedelta

from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from tests.transport.asking import question
from tests.transport.serving import Serving, ask, make_policy


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
