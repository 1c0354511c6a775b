import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer_store import AnswerStore, Entry


def entry(name: str, octets: int = 4) -> Entry:
    record = Record(name_from_text(name), 1, 1, 300, bytes(octets))
    return Entry(ReplyBody(0, (record,)), 0.0, 300.0)


def key(name: str):
    return (name_from_text(name), 1, 1, False, False)


def test_least_recently_used_goes_first():
    """R-C19"""
    store = AnswerStore(2, 10**9)
    store.put(key("a"), entry("a"))
    store.put(key("b"), entry("b"))
    assert store.get(key("a"))
    store.put(key("c"), entry("c"))
    assert store.get(key("b")) is None
    assert store.get(key("a"))
    assert len(store) == 2


def test_entry_larger_than_the_bound_is_not_kept():
    """R-C19"""
    store = AnswerStore(10, 5000)
    store.put(key("a"), entry("a", 6000))
    assert (len(store), store.octets) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3000), st.booleans())))
def test_bounds_hold_whatever_is_put_and_dropped(steps):
    """R-C19"""
    store = AnswerStore(5, 8000)
    held = {}
    for name, octets, is_drop in steps:
        if is_drop:
            store.drop(key(name))
        else:
            store.put(key(name), entry(name, octets))
        held = {n: e for n in "abcdefgh" if (e := store.get(key(n)))}
        assert len(store) == len(held) <= 5
        assert store.octets == sum(e.octets for e in held.values()) <= 8000


def test_estimate_is_about_what_python_takes():
    """R-C19: a flood of unique names stays within max_bytes of memory."""
    tracemalloc.start()
    try:
        store = AnswerStore(10**6, 4 * 1024 * 1024)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(20_000):
            name = f"n{number}.flood.example.org"
            store.put(key(name), entry(name))
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert store.octets <= 4 * 1024 * 1024
    assert taken <= 4 * 1024 * 1024
    assert len(store) > 2000
