"""Answers and finished replies draw from one budget (`cache.max_bytes`)."""

import tracemalloc

import pytest

from sinkhole.policy.verdict import NO_MATCH
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer_store import AnswerStore
from sinkhole.resolver.answer_store import Entry as Answer
from sinkhole.resolver.cache_budget import CacheBudget
from sinkhole.transport.entry import Entry
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.transport.table import Table
from tests.transport.test_packet_cache import reply

MIB = 1024 * 1024
WIRE = reply("n00000.flood.example.org")


def keep_answer(store: AnswerStore, number: int) -> None:
    """Keep the answer to a name of its own."""
    name = name_from_text(f"n{number}.flood.example.org")
    store.put((name, 1, 1, False, False), Answer(ReplyBody(0, (Record(name, 1, 1, 300, bytes(4)),)), 0.0, 300.0))


def keep_reply(cache: PacketCache, table: Table, number: int) -> None:
    """Keep the reply to a name of its own."""
    name = f"n{number:05}.flood.example.org"
    cache.store(table, bytes(10) + name.encode(), Entry(bytes(bytearray(WIRE)), 0.0, 300, name.encode(), 1, NO_MATCH))


@pytest.mark.parametrize("replies_of_ten", [0, 1, 5, 9, 10])
def test_sum_of_both_never_passes_the_budget(replies_of_ten):
    """R-C19: whatever the mix, by the estimate at each step, and as Python measures it."""
    budget = CacheBudget(2 * MIB)
    store, cache = AnswerStore(10**6, budget), PacketCache(10**6, budget)
    table = cache.table_of("scope", False)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(8000):
            if number % 10 < replies_of_ten:
                keep_reply(cache, table, number)
            else:
                keep_answer(store, number)
            assert store.octets + budget.replies <= 2 * MIB
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.15 * MIB < taken <= 2 * MIB
    if replies_of_ten <= 5:  # else there are too few answers to fill the rest
        assert store.octets + budget.replies > 1.99 * MIB


def test_replies_that_come_late_get_their_half():
    """R-C19: answers fill all there is while there are no replies, and give way."""
    budget = CacheBudget(MIB)
    store, cache = AnswerStore(10**6, budget), PacketCache(10**6, budget)
    table = cache.table_of("scope", False)
    for number in range(2000):
        keep_answer(store, number)
    assert store.octets > 0.99 * MIB
    for number in range(2000):
        keep_reply(cache, table, number)
    assert 0.3 * MIB < budget.replies <= 0.5 * MIB
    assert 0.5 * MIB <= store.octets <= MIB - budget.replies
    cache.clear()
    for number in range(2000):
        keep_answer(store, number)
    assert store.octets > 0.99 * MIB
