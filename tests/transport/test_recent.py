from hypothesis import given
from hypothesis import strategies as st

from sinkhole.transport.recent import Recent


def test_what_is_used_survives_a_flood_of_others():
    recent: Recent[int, str] = Recent(100)
    recent.put(-1, "kept")
    for number in range(10_000):
        recent.put(number, "flood")
        if number % 20 == 0:
            assert recent.get(-1) == "kept"
    assert recent.get(0) is None


def test_cleared_is_empty():
    recent: Recent[int, int] = Recent(10)
    for number in range(8):
        recent.put(number, number)
    recent.clear()

    assert len(recent) == 0
    assert recent.get(7) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30))), st.integers(1, 20))
def test_never_more_than_its_bound_and_never_a_wrong_value(steps, limit):
    recent: Recent[int, int] = Recent(limit)
    for is_put, key in steps:
        if is_put:
            recent.put(key, key * 7)
            assert recent.get(key) == key * 7
        else:
            assert recent.get(key) in (None, key * 7)
        assert len(recent) <= max(2, limit)


def test_what_is_forgotten_is_told_first():
    told: list[int] = []
    recent: Recent[int, int] = Recent(4, told.extend)
    for number in range(6):
        recent.put(number, number)
    assert told == [0, 1]
    recent.discard(lambda value: value % 2 == 1)
    assert told == [0, 1, 5, 3]
    assert sorted(recent.values()) == [2, 4]
    recent.clear()
    assert sorted(told) == [0, 1, 2, 3, 4, 5]
    assert len(recent) == 0
