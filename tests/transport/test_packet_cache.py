import tracemalloc

import dns.message
import dns.rrset
import pytest

from sinkhole.policy.verdict import Action, Verdict
from sinkhole.resolver.cache_budget import CacheBudget
from sinkhole.transport.entry import Entry
from sinkhole.transport.packet_cache import Doorkeeper, PacketCache
from sinkhole.transport.table import Table


def reply(name: str = "example.org", ttl: int = 300) -> bytes:
    message = dns.message.make_response(dns.message.make_query(name, "A"))
    message.answer.append(dns.rrset.from_text(name + ".", ttl, "IN", "A", "192.0.2.1"))
    return message.to_wire()


def ttl_of(entry: Entry) -> int:
    return dns.message.from_wire(b"\0\0" + entry.tail).answer[0].ttl


def test_entry_is_right_for_a_second_and_then_made_anew():
    entry = Entry(reply(), now=10.0, ttl=5.5)

    assert (ttl_of(entry), entry.due) == (300, 11.0)
    assert entry.renew(13.2)
    assert (ttl_of(entry), entry.due) == (297, 14.0)
    assert entry.renew(15.4)
    assert (ttl_of(entry), entry.due) == (295, 15.5)
    assert not entry.renew(15.5)


def test_short_lived_entry_is_due_at_its_end():
    assert Entry(reply(), now=10.0, ttl=0.25).due == 10.25


def test_doorkeeper_knows_what_comes_again_and_hardly_anything_else():
    doorkeeper = Doorkeeper()
    keys = [f"key{number}".encode() for number in range(2000)]
    assert sum(map(doorkeeper.has_seen, keys)) <= 2
    assert sum(map(doorkeeper.has_seen, keys)) >= 1900
    mistaken = sum(doorkeeper.has_seen(f"other{number}".encode()) for number in range(300_000))
    assert mistaken < 300_000 / 150
    assert len(doorkeeper._marks) == 65_536


def test_expired_entry_is_forgotten():
    cache = PacketCache()
    table = cache.table_of("scope", False)
    cache.store(table, b"key", Entry(reply(), 0.0, 2.0))

    assert cache.look_up(table, b"key", 1.9) is not None
    assert cache.look_up(table, b"key", 2.0) is None
    assert cache.look_up(table, b"key", 2.0) is None
    assert len(cache) == 1  # that the name was asked for again is remembered


def test_number_of_entries_is_bounded_and_what_is_asked_again_stays():
    """R-C19: bounded in entries; a flood of names that come once does not push out what is in use."""
    cache = PacketCache(max_entries=100)
    table, other = cache.table_of("one", False), cache.table_of("two", True)
    cache.store(table, b"popular", Entry(reply(), 0.0, 300))
    cache.store(table, b"once", Entry(reply(), 0.0, 300))
    wire = reply()
    for number in range(2000):
        cache.store(table if number % 2 else other, b"%d" % number, Entry(wire, 0.0, 300))
        assert len(cache) <= 100
        if number % 40 == 0:
            assert cache.look_up(table, b"popular", 1.0) is not None

    assert cache.look_up(table, b"once", 1.0) is None


def test_octets_are_bounded():
    """R-C19: bounded in bytes."""
    cache = PacketCache(budget=CacheBudget(100_000))
    table = cache.table_of("one", False)
    for number in range(1000):
        cache.store(table, b"%d" % number, Entry(reply(), 0.0, 300))

    assert 10 < len(cache) < 100_000 / Entry(reply(), 0.0, 300).size
    cache.store(table, bytes(60_000), Entry(reply(), 0.0, 300))
    assert cache.look_up(table, bytes(60_000), 1.0) is None


def test_storing_again_replaces():
    cache = PacketCache(max_entries=10)
    table = cache.table_of("one", False)
    cache.store(table, b"other", Entry(reply(), 0.0, 300))
    for _ in range(100):
        cache.store(table, b"key", Entry(reply(), 0.0, 300))

    assert len(cache) == 2


def test_entry_moved_aside_that_has_expired_is_gone():
    cache = PacketCache(max_entries=4)
    table = cache.table_of("one", False)
    cache.store(table, b"old", Entry(reply(), 0.0, 2.0))
    for number in range(2):
        cache.store(table, b"%d" % number, Entry(reply(), 0.0, 300))

    assert cache.look_up(table, b"old", 5.0) is None
    assert cache.look_up(table, b"old", 1.0) is None


def test_cleared_tables_serve_nothing_even_to_who_still_holds_one():
    """R-C21: a new policy replaces the packet cache whole."""
    cache = PacketCache()
    table = cache.table_of("one", False)
    cache.store(table, b"key", Entry(reply(), 0.0, 300))
    cache.clear()

    assert cache.look_up(table, b"key", 1.0) is None
    assert cache.table_of("one", False) is not table


def test_table_nobody_holds_is_gone():
    """R-P04: a scope per client must not leave a table per client for ever."""
    cache = PacketCache()
    for number in range(1000):
        cache.store(cache.table_of(number, False), b"key", Entry(reply(), 0.0, 300))

    assert len(cache) == 0


def flooded(cache: PacketCache, table: Table, names: range, now: float) -> None:
    wire = reply()
    for number in names:
        cache.store(table, b"flood %d" % number, Entry(wire, now, 10))


def test_flood_leaves_what_is_asked_again_though_it_passes_all_bounds_between():
    """R-C19: once a name was asked for again it is found, however rarely; one that was not is gone."""
    cache = PacketCache(max_entries=4000)
    table = cache.table_of("one", False)
    popular = [b"popular %d" % number for number in range(300)]
    for key in [*popular, b"once"]:
        cache.store(table, key, Entry(reply(), 0.0, 3600))
    assert all(cache.look_up(table, key, 2.0) for key in popular)
    for seconds in range(3, 8):
        flooded(cache, table, range(seconds * 10_000, seconds * 10_000 + 10_000), float(seconds))
        assert len(cache) <= 4000
        assert all(cache.look_up(table, key, float(seconds)) for key in popular)
    assert cache.look_up(table, b"once", 8.0) is None


def test_name_stays_proven_beyond_the_end_of_its_reply():
    """A blocked answer lives ten seconds: the next one to the same name needs no new proof."""
    cache = PacketCache(max_entries=400)
    table = cache.table_of("one", False)
    cache.store(table, b"popular", Entry(reply(), 0.0, 10))
    assert cache.look_up(table, b"popular", 2.0)
    assert cache.look_up(table, b"popular", 11.0) is None
    cache.store(table, b"popular", Entry(reply(), 11.0, 10))
    flooded(cache, table, range(10_000), 11.0)
    assert cache.look_up(table, b"popular", 12.0)
    assert cache.look_up(table, b"popular", 21.0) is None


def test_proven_names_push_out_each_other_only():
    cache = PacketCache(max_entries=80)
    table = cache.table_of("one", False)
    for number in range(200):
        cache.store(table, b"%d" % number, Entry(reply(), 0.0, 300))
        assert cache.look_up(table, b"%d" % number, 1.5)
    assert len(cache) <= 80
    assert cache.look_up(table, b"0", 2.0) is None
    assert cache.look_up(table, b"199", 2.0)


@pytest.mark.parametrize("octets", [0, 1, 127, 1000, 100_000])
def test_octets_of_all_parts_stay_within_what_is_claimed(octets):
    budget = CacheBudget(octets)
    cache = PacketCache(budget=budget)
    table, other = cache.table_of("one", False), cache.table_of("two", True)
    for number in range(3000):
        place = table if number % 3 else other
        key = b"%d" % (number % 400)
        if cache.look_up(place, key, number / 100) is None:
            cache.store(place, key, Entry(reply(), number / 100, 1 + number % 7))
        parts = [part for t in (table, other) for part in (t.young, t.old, t.proven, t.waning)]
        held = sum(len(key) + entry.size for part in parts for key, entry in part.items())
        assert held <= budget.replies <= octets // 2
    cache.clear()
    assert (budget.replies, len(cache)) == (0, 0)


def test_estimate_is_about_what_python_takes():
    """R-C19: floods of different blocked names, half of them asked for again, stay within its half."""
    budget = CacheBudget(8 * 1024 * 1024)
    cache = PacketCache(budget=budget)
    table = cache.table_of("one", False)
    wire = reply("n00000.flood.example.org")
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(12_000):
            name = f"n{number:05}.flood.example.org"
            verdict = Verdict(Action.BLOCK, "vendor:flood", rule=f"{name} and below", vendor="flood")
            key = b"\1\0\0\1" + bytes(6) + name.encode()
            cache.store(table, key, Entry(bytes(bytearray(wire)), 0.0, 10, name.encode(), 1, verdict, is_recorded=True))
            if number % 2:
                cache.look_up(table, bytes(bytearray(key)), 2.0)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken <= budget.replies <= budget.most_replies
    assert taken > budget.replies / 2
