import dns.message
import dns.rrset

from sinkhole.transport.packet_cache import Entry, PacketCache


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


def test_expired_entry_is_forgotten():
    cache = PacketCache()
    table = cache.table_of("scope", False)
    cache.store(table, b"key", Entry(reply(), 0.0, 2.0))

    assert cache.look_up(table, b"key", 1.9) is not None
    assert cache.look_up(table, b"key", 2.0) is None
    assert len(cache) == 0


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
    cache = PacketCache(max_bytes=100_000)
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
