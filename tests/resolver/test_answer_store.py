import tracemalloc

from hypothesis import example, given
from hypothesis import strategies as st

from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer_store import AnswerStore, Entry
from sinkhole.resolver.cache_budget import CacheBudget

GROWN = (("a", 0), ("b", 0), ("c", 1509))
"""Of which, once proven, the first grows to more than the proven have room for."""


def entry(name: str, octets: int = 4) -> Entry:
    record = Record(name_from_text(name), 1, 1, 300, bytes(octets))
    return Entry(ReplyBody(0, (record,)), 0.0, 300.0)


def key(name: str):
    return (name_from_text(name), 1, 1, False, False)


def test_what_was_not_asked_for_goes_first():
    """R-C19"""
    store = AnswerStore(2, CacheBudget(10**9))
    store.put(key("a"), entry("a"))
    store.put(key("b"), entry("b"))
    assert store.get(key("a"))
    store.put(key("c"), entry("c"))
    assert store.get(key("b")) is None
    assert store.get(key("a"))
    assert len(store) == 2


def test_entry_larger_than_the_bound_is_not_kept():
    """R-C19"""
    store = AnswerStore(10, CacheBudget(5000))
    store.put(key("a"), entry("a", 6000))
    assert (len(store), store.octets) == (0, 0)
    store.put(key("b"), entry("b"))
    store.put(key("a"), entry("a", 6000))
    assert store.get(key("b"))  # it did not push out the others first


@given(st.lists(st.tuples(st.sampled_from(("put", "get", "drop")), st.sampled_from("abcdefgh"), st.integers(0, 3000))))
@example([*(("put", name, size) for name, size in GROWN), *(("get", name, 0) for name, _ in GROWN), ("put", "a", 1093)])
def test_bounds_hold_whatever_is_put_asked_for_and_dropped(steps):
    """R-C19"""
    store = AnswerStore(5, CacheBudget(8000))
    latest = {}
    for step, name, octets in steps:
        if step == "put":
            latest[name] = entry(name, octets)
            store.put(key(name), latest[name])
        elif step == "drop":
            store.drop(key(name))
        else:
            assert store.get(key(name)) is (latest[name] if store.holds(key(name)) else None)
        held = [latest[name] for name in latest if store.holds(key(name))]
        assert len(store) == len(held) <= 5
        assert store.octets == sum(one.octets for one in held) <= 8000
        assert store._proven_octets == sum(one.octets for one in held if one.is_proven) <= 6000


def test_estimate_is_about_what_python_takes():
    """R-C19: a flood of unique names stays within max_bytes of memory."""
    tracemalloc.start()
    try:
        store = AnswerStore(10**6, CacheBudget(4 * 1024 * 1024))
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


def test_flood_of_names_that_never_come_again_leaves_what_is_asked_again():
    """R-C19: also what is asked for so rarely that the flood passes all bounds between."""
    budget = CacheBudget(4 * 1024 * 1024)
    store = AnswerStore(2000, budget)
    popular = [key(f"popular{number}") for number in range(200)]
    for one in popular:
        store.put(one, entry("popular"))
    assert all(store.get(one) for one in popular)
    for number in range(20_000):
        store.put(key(f"n{number}.flood"), entry("flood"))
    assert len(store) == 2000
    assert all(store.get(one) for one in popular)
    store.put(popular[0], entry("popular", 8))  # a new answer to a proven name
    for number in range(5000):
        store.put(key(f"m{number}.flood"), entry("flood"))
    assert store.get(popular[0])


def test_what_is_asked_for_all_the_time_outlives_what_was_asked_for_twice():
    """R-C19"""
    store = AnswerStore(100, CacheBudget(10**9))
    for name in ("always", "twice"):
        store.put(key(name), entry(name))
        assert store.get(key(name))
    for number in range(1000):
        store.put(key(f"n{number}"), entry("n"))
        assert store.get(key(f"n{number}"))
        assert store.get(key("always"))
    assert store.get(key("twice")) is None


def test_keys_that_come_and_go_leave_nothing_behind():
    store = AnswerStore(10**6, CacheBudget(10**9))
    store.put(key("stays"), entry("stays"))
    for number in range(20_000):
        name = f"n{number % 3}"
        store.put(key(name), entry(name))
        store.drop(key(name))
    assert (len(store), store.octets) == (1, entry("stays").octets)
    assert len(store._new) + len(store._proven) < 100


def test_keys_that_take_turns_among_the_proven_leave_nothing_behind():
    store = AnswerStore(12, CacheBudget(10**9))
    names = [f"n{number}" for number in range(11)]
    for name in ("first", *names):
        store.put(key(name), entry(name))
    for number in range(20_000):
        assert store.get(key(names[number % len(names)]))
    assert len(store) == 12
    assert len(store._new) + len(store._proven) < 100


def test_proven_answers_do_not_fill_the_store_for_ever():
    store = AnswerStore(100, CacheBudget(10**9))
    for number in range(500):
        store.put(key(f"n{number}"), entry("n"))
        assert store.get(key(f"n{number}"))
    assert len(store) == 100
    store.put(key("new"), entry("new"))
    store.put(key("newer"), entry("newer"))
    assert store.get(key("new"))


def test_answers_give_way_to_finished_replies():
    budget = CacheBudget(100_000)
    store = AnswerStore(10**6, budget)
    for number in range(200):
        store.put(key(f"n{number}"), entry("n"))
        if number % 2:
            store.get(key(f"n{number}"))
    assert 95_000 < store.octets <= 100_000
    for octets in range(0, 60_000, 500):
        held = budget.claim(min(octets, budget.most_replies))
        assert store.octets + held <= 100_000
    assert (budget.replies, budget.answers) == (50_000, 50_000)
    assert store.octets > 45_000
    budget.release()
    assert budget.answers == 100_000


def test_the_oldest_go_however_many_have_to():
    budget = CacheBudget(1_000_000)
    store = AnswerStore(10**6, budget)
    for number in range(800):
        store.put(key(f"n{number}"), entry("n"))
    budget.claim(500_000)
    held = [number for number in range(800) if store.holds(key(f"n{number}"))]
    assert len(held) > 400
    assert held == list(range(800 - len(held), 800))
