"""Plots: round ticks, marks, titles, and names from the network as text."""

import xml.etree.ElementTree as Tree
from itertools import pairwise

import pytest

from sinkhole.evidence.plot import NARROW, WIDE, Column, Mark, Plot, legend, merged_marks, stacked, ticks_to


def plot(columns=30, marks=(), series=("A<b>\u202e", "B", "others")):
    drawn = tuple(Column(f"{n} Nov", f"2026-11-{n:02}", (n, 2, 1)[: len(series)]) for n in range(1, columns + 1))
    return Plot("p", "Attempts", "said & done", series, drawn, has_rest=True, marks=marks)


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 9, 10, 11, 99, 100, 401, 12_345, 10**9])
def test_ticks_are_round_few_and_reach_the_top(most):
    ticks = ticks_to(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most > ticks[-2]
    assert len(ticks) <= 6
    assert str(ticks[1])[0] in "125"
    assert len({b - a for a, b in pairwise(ticks)}) == 1


@pytest.mark.parametrize("frame", [WIDE, NARROW])
@pytest.mark.parametrize("columns", [1, 2, 24, 90])
def test_drawing_is_well_formed_and_within_its_frame(frame, columns):
    svg = Tree.fromstring(stacked(plot(columns), frame))
    rects = list(svg.iter("rect"))
    assert len(rects) == 3 * columns
    for rect in rects:
        x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        assert frame.left <= x <= x + width <= frame.width
        assert frame.top <= y + 0.1
        assert y + height <= frame.height - frame.bottom + 0.1
    assert len([one for one in svg.iter("text") if (one.text or "").endswith("Nov")]) <= frame.labels


def test_columns_tell_what_they_are_of():
    svg = stacked(plot(2))
    assert "<title>2026-11-02: 5\nothers: 1\nB: 2\nA&lt;b&gt;\\u202e: 2</title>" in svg
    assert "<b>" not in svg + legend(plot())
    assert "\u202e" not in svg + legend(plot())
    assert 'class="c6"' in svg, "what is together has its own colour"
    assert '<span class="key k6"></span>others' in legend(plot())
    assert "said &amp; done" in svg


def test_marks_are_numbered_and_those_of_a_column_are_one():
    marks = merged_marks([Mark(3.5, "b"), Mark(1.0, "a<i>"), Mark(3.1, "c")])
    assert marks == (Mark(1.0, "a<i>"), Mark(3.1, "c; b"))
    svg = stacked(plot(5, marks))
    assert svg.count('class="mark"') == 2
    assert "a&lt;i&gt;" in svg


def test_nothing_is_drawn_of_nothing():
    assert stacked(Plot("p", "t", "s", (), ())) == ""
    assert stacked(Plot("p", "t", "s", ("a",), (Column("x", "x", (0,)),))) == ""
    assert legend(Plot("p", "t", "s", (), ())) == ""


def test_what_is_withheld_says_so():
    svg = stacked(Plot("p", "t", "s", ("a",), (Column("x", "x", (3,)), Column("y", "y", (0,), is_withheld=True))))
    assert "y: too few clients to be told" in svg
