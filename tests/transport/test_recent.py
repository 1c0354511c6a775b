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
