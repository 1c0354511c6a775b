import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.hit import HitRow, columns_of, rows_of, rows_of_lots

ROW = HitRow(
    29_000_000, "192.0.2.1", None, "x.example", 1, "block", "v", "v/p", None, "ai", 3, 1_740_000_000, 1_740_000_030
)
TEXT = st.text(max_size=5)
NUMBER = st.integers(0, 2**40)
ROWS = st.builds(
    HitRow, NUMBER, TEXT, st.none() | TEXT, TEXT, NUMBER, TEXT, *[st.none() | TEXT] * 4, *[NUMBER] * 3
)  # fmt: skip


@given(st.lists(ROWS, max_size=4))
def test_rows_survive_json(rows):
    assert list(rows_of(json.loads(json.dumps(columns_of(rows))))) == rows


def test_what_all_rows_share_is_said_once():
    rows = [ROW._replace(name=f"n{number}.example", client=f"192.0.2.{number % 2}") for number in range(100)]
    written = json.dumps(columns_of(rows))
    assert written.count("v/p") == 1
    assert written.count("192.0.2.1") == 50
    assert list(rows_of(json.loads(written))) == rows


def test_equal_rows_stay_as_many():
    assert rows_of(json.loads(json.dumps(columns_of([ROW] * 3)))) == (ROW,) * 3


@given(st.lists(st.lists(ROWS, max_size=3), max_size=3))
def test_lots_are_read_in_order(lots):
    written = json.dumps([columns_of(rows) for rows in lots])
    assert list(rows_of_lots(json.loads(written))) == [row for rows in lots for row in rows]


@pytest.mark.parametrize("lots", [None, {}, "x", 1, [None], [[1]]])
def test_what_is_no_lots_is_refused(lots):
    with pytest.raises(PolicyError, match="wanted"):
        rows_of_lots(lots)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (None, "wanted 13 fields"),
        ({}, "wanted 13 fields"),
        ([1], "wanted 13 fields"),
        ([list(ROW)], "wanted 13 fields"),
        ([list(ROW)] * 13, "minute|wanted"),
        ([*columns_of([ROW])[:3], "x.example", *ROW[4:]], "a list of names"),
        ([[1, 2], *columns_of([ROW])[1:]], "wanted 1 of minute; found 2"),
        (["now", *columns_of([ROW])[1:]], "minute is of another type"),
        ([True, *columns_of([ROW])[1:]], "minute is of another type"),
        ([*columns_of([ROW])[:3], [None], *ROW[4:]], "name is of another type"),
        ([*columns_of([ROW])[:2], ["g", ["h"]], ["a", "b"], *ROW[4:]], "group is of another type"),
    ],
)
def test_what_is_no_rows_is_refused(columns, why):
    with pytest.raises(PolicyError, match=why):
        rows_of(columns)


@given(
    st.recursive(st.none() | st.booleans() | NUMBER | TEXT, lambda inner: st.lists(inner, max_size=14), max_leaves=40)
)
def test_nonsense_is_refused_and_nothing_else(value):
    try:
        rows = rows_of(value)
    except PolicyError:
        return
    assert all(isinstance(row, HitRow) for row in rows)
