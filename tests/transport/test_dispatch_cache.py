from datetime import UTC, datetime, timedelta

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import pytest

from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer
from sinkhole.transport.packet_cache import PacketCache
from tests.transport.asking import question
from tests.transport.serving import BLOCKED, HOME, Counting, Serving, address, ask, make_policy, text


@pytest.mark.parametrize("first_is_stream", [False, True])
async def test_sizes_are_applied_on_output_whatever_filled_the_cache(first_is_stream):
    """R-C18, R-T07: filled by TCP and read by UDP and back; EDNS size never limits TCP."""

    async def handler(query):
        return Answer(ReplyBody(0, answer=(text(query, 58_000),)), None, 60)

    serving = Serving(handler)
    query = question(qtype="TXT", use_edns=0, payload=512)
    for is_stream in (first_is_stream, not first_is_stream) * 2:
        reply = await ask(serving, query, is_stream=is_stream)
        assert bool(reply.flags & dns.flags.TC) == (not is_stream)
        assert bool(reply.answer) == is_stream


async def test_equal_query_is_answered_from_the_packet_cache_with_its_own_id_and_case():
    """R-C18: what changes an answer is in the key."""
    serving = Serving()
    for name in ("example.org", "example.org", "eXample.org", "eXample.org"):
        reply = await ask(serving, question(name))
        assert reply.question[0].name.to_text(omit_final_dot=True) == name
    for query in (question(use_edns=0), question(use_edns=0, want_dnssec=True), question(flags=dns.flags.CD)):
        await ask(serving, query)
        await ask(serving, query)

    assert len(serving.handler.queries) == 5


async def test_cached_reply_ages_each_second_and_ends():
    """R-C14 at the packet cache: TTLs count down, nothing is served beyond its time."""
    serving = Serving(Counting(ttl=10.0))
    ttls = []
    for second in (0, 0.5, 1, 3.7, 9.9):
        serving.clock.now = 1000.0 + second
        ttls.append((await ask(serving, question())).answer[0].ttl)
    assert ttls == [300, 300, 299, 297, 291]
    assert len(serving.handler.queries) == 1

    serving.clock.now = 1010.0
    assert (await ask(serving, question())).answer[0].ttl == 300
    assert len(serving.handler.queries) == 2


@pytest.mark.parametrize("ttl", [None, 0])
async def test_answer_that_may_not_be_kept_is_not(ttl):
    serving = Serving(Counting(ttl=ttl))
    await ask(serving, question())
    await ask(serving, question())

    assert len(serving.handler.queries) == 2


async def test_query_with_options_is_not_kept():
    """A cookie makes each query different: keeping the replies would only push out others."""
    serving = Serving()
    query = question(use_edns=0, options=[dns.edns.GenericOption(10, b"12345678")])
    await ask(serving, query)

    assert len(serving.cache) == 0


async def test_new_policy_is_obeyed_at_once():
    """R-C21: a swap replaces the packet cache whole."""
    serving = Serving()
    await ask(serving, question())
    await ask(serving, question(), is_stream=True)
    serving.box.current = make_policy(generation=2)
    await ask(serving, question())
    await ask(serving, question(), is_stream=True)

    assert len(serving.handler.queries) == 4


async def test_answer_judged_by_an_old_policy_is_not_kept():
    """R-C21: the policy changed while the query waited."""
    serving = Serving()

    async def handler(query):
        serving.box.current = make_policy(generation=2)
        return Answer(ReplyBody(0, answer=(address(query),)), None, 300)

    serving.dispatch._handler = handler
    await ask(serving, question())

    assert len(serving.cache) == 0


async def test_expiry_of_a_statement_ends_what_was_judged_before_it():
    """R-C21: evaluated at match time, not by a timer; the next expiry counts, not one that is past."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    statements = [
        Statement(number, Subject.from_text("ai"), Action.ALLOW, expires=noon + timedelta(seconds=seconds))
        for number, seconds in enumerate((-60, 5, 20))
    ]
    serving = Serving(policy=make_policy(*statements))
    asked = []
    for seconds in (0, 4, 5, 6, 19, 20, 21, 1000):
        serving.wall.now = noon.timestamp() + seconds
        await ask(serving, question())
        asked.append(len(serving.handler.queries))

    assert asked == [1, 1, 2, 2, 2, 3, 3, 3]


async def test_edge_of_a_schedule_ends_what_was_judged_before_it():
    """R-C21: each begin and each end, one after the other."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    schedule = schedule_from_text("12:01-12:02,12:04-12:05 @UTC")
    serving = Serving(policy=make_policy(Statement(1, Subject.from_text("ai"), Action.BLOCK, schedule=schedule)))
    asked = []
    for seconds in (0, 59, 60, 119, 120, 239, 240, 299, 300, 1000):
        serving.wall.now = noon.timestamp() + seconds
        await ask(serving, question())
        asked.append(len(serving.handler.queries))

    assert asked == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


async def test_begin_and_end_of_an_override_end_what_was_judged_before_it():
    """R-B13, R-C21: evaluated at match time, not by a timer."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    begins, ends = noon + timedelta(seconds=5), noon + timedelta(seconds=20)
    pause = Override(OverrideKind.PAUSE, 1, (), ends, begins)
    serving = Serving(policy=make_policy(overrides=[pause]))
    asked = []
    for seconds in (0, 4, 5, 6, 19, 20, 21, 1000):
        serving.wall.now = noon.timestamp() + seconds
        await ask(serving, question())
        asked.append(len(serving.handler.queries))

    assert asked == [1, 1, 2, 2, 2, 3, 3, 3]


async def test_client_with_an_override_of_its_own_does_not_share_replies():
    ends = datetime(2026, 3, 3, tzinfo=UTC)
    own = Override(OverrideKind.EXCEPTION, 1, (Subject.from_text("ai"),), ends, client="127.0.0.2")
    serving = Serving(policy=make_policy(overrides=[own]))
    for host in (HOME, "127.0.0.3", "127.0.0.2", "127.0.0.2"):
        await ask(serving, question(), host)

    assert [query.client.scope.client for query in serving.handler.queries] == [None, "127.0.0.2"]


async def test_end_of_what_one_client_has_of_its_own_is_the_end_for_it_alone():
    """A grant that ends each second must not take packet cache and TTLs from the whole network."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    client = "127.0.0.2"
    ends = [noon + timedelta(seconds=seconds) for seconds in (20, 500)]
    about = (Subject.from_text("ai"),)
    own = [Override(OverrideKind.EXCEPTION, number, about, at, client=client) for number, at in enumerate(ends)]
    serving = Serving(Counting(ttl=300.0), policy=make_policy(overrides=own))
    found = []
    for seconds in (0, 19, 20, 21, 250):
        serving.wall.now, serving.clock.now = noon.timestamp() + seconds, 1000.0 + seconds
        ttls = [(await ask(serving, question(), host)).answer[0].ttl for host in (HOME, client)]
        found.append((seconds, *ttls, len(serving.handler.queries)))

    assert found == [(0, 300, 20, 2), (19, 281, 1, 2), (20, 280, 300, 3), (21, 279, 299, 3), (250, 50, 70, 3)]


@pytest.mark.parametrize(("back_to", "asked"), [(61, 1), (59, 2)])
async def test_clock_that_is_set_back_over_an_edge(back_to, asked):
    """R-B14, R-C21: what was judged after the edge does not answer before it, in the second pass."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
    schedule = schedule_from_text("12:01-12:02 @UTC")
    serving = Serving(policy=make_policy(Statement(1, Subject.from_text("ai"), Action.BLOCK, schedule=schedule)))
    serving.wall.now = noon + 61
    await ask(serving, question())
    serving.wall.now = noon + back_to
    await ask(serving, question())

    assert len(serving.handler.queries) == asked


async def test_groups_do_not_share_replies():
    """Equal octets from clients of different groups may deserve different answers."""
    staff = Group("staff", ("127.0.0.2/32",))
    serving = Serving(policy=make_policy(groups=(staff,)))
    for host in (HOME, "127.0.0.3", "127.0.0.2", "127.0.0.2"):
        await ask(serving, question(), host)

    assert [query.client.scope.groups for query in serving.handler.queries] == [(), ("staff",)]


async def test_client_that_moves_to_another_group_is_seen():
    serving = Serving()
    await ask(serving, question())
    serving.box.current = make_policy(groups=(Group("staff", ("127.0.0.0/8",)),), generation=2)
    await ask(serving, question())

    assert serving.handler.queries[-1].client.scope.groups == ("staff",)


async def test_replies_of_the_packet_cache_are_counted():
    """R-D: nothing is answered without being seen; equal hits become one row."""
    serving = Serving(Counting(verdict=BLOCKED), record={"queries": "blocked"})
    for _ in range(5):
        await ask(serving, question("Chat.example.org"))
    for _ in range(3):
        await ask(serving, question("chat.example.org"), is_stream=True)
    serving.dispatch.flush_hits()
    (row,) = serving.hits.drain(10)

    assert (row.client, row.name, row.qtype, row.action) == (HOME, "chat.example.org", 1, "block")
    # The first of each spelling and transport is the chain's to count, and this chain has no such stage.
    assert row.count == 4 + 2


async def test_what_is_not_recorded_is_not_counted():
    serving = Serving(Counting(), record={"queries": "blocked"})
    for is_stream in (False, False, True, True):
        await ask(serving, question(), is_stream=is_stream)
    serving.dispatch.flush_hits()

    assert serving.hits.drain(10) == []


async def test_cache_of_no_entries_keeps_nothing():
    serving = Serving(cache=PacketCache(max_entries=0))
    await ask(serving, question())
    await ask(serving, question())

    assert len(serving.handler.queries) == 2


async def test_client_the_gate_has_moved_aside_is_found_again():
    """R-P04: bounded memory must not cost an old client its replies."""
    serving = Serving()
    await ask(serving, question())
    serving.dispatch._gate.clients._half = 2
    for number in range(1, 4):
        await ask(serving, question(), f"127.0.1.{number}")
    await ask(serving, question())

    assert len(serving.handler.queries) == 1
