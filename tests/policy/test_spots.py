"""The table of spots: over random lists the same as a search for every name above, and no list makes it slow."""

from itertools import count
from random import Random
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy import spots as module
from sinkhole.policy.spots import Spots, build_spots
from sinkhole.protocol.names import labels_of, name_from_text, reversed_key

KINDS = ((1,), (2,), (1, 2), None)


def table_of(listed):
    """Return the table of a mapping of names to rows."""
    keys = [reversed_key(name_from_text(name)) for name in listed]
    rows = list(listed.values())
    return Spots(build_spots(keys, rows.__getitem__))


def find(table, name):
    wire = name_from_text(name)
    return table.find(wire, reversed_key(wire))


def stands(listed, name):
    """Return what the spot of a name must tell apart: rows above it, its own, and which are its own."""
    labels = name.split(".")
    above = [".".join(labels[at:]) for at in range(len(labels) - 1, -1, -1)]
    rows = [listed[one] for one in above if one in listed]
    return None if not rows or None in rows else (name in listed, *rows)


@given(st.integers(0, 2**64))
def test_names_have_one_spot_where_the_same_rows_stand_at_and_above_them(seed):
    random = Random(seed)
    names = [".".join(random.choices("abc", k=random.randint(1, 5))) for _ in range(60)]
    listed = {name: random.choice(KINDS) for name in names[:20]}
    table = table_of(listed)
    seen = {}
    for name in names:
        spot, wanted = find(table, name), stands(listed, name)
        assert (spot is None) is (wanted is None), name
        assert seen.setdefault(spot, wanted) == wanted
    assert len(set(map(seen.get, seen))) == len(seen), "names of one spot have two"


def test_letter_case_of_the_name_makes_no_difference():
    table = table_of({"ads.example": (1,)})
    wire = name_from_text("X.aDs.example")
    assert table.find(wire, reversed_key(wire.lower())) == find(table, "x.ads.example") is not None


def test_a_name_that_begins_like_a_listed_one_is_another():
    table = table_of({"a.example": (1,), "deep.below.example": (2,)})
    for name in ("example", "below.example", "aa.example", "a.example2", "xa.example"):
        assert find(table, name) is None
    assert table.find(b"\0", b"") is None


def test_where_names_are_listed_below_a_listed_one_each_has_a_spot():
    table = table_of({"example": (1,), "b.example": (2,), "c.b.example": (3,)})
    spots = [
        find(table, name)
        for name in ("example", "a.example", "b.example", "a.b.example", "c.b.example", "x.c.b.example")
    ]
    assert None not in spots
    assert len(set(spots)) == len(spots)
    assert find(table, "y.x.c.b.example") == spots[-1]
    assert find(table, "y.a.b.example") == spots[3]


def test_an_empty_table_knows_nothing():
    assert find(table_of({}), "a.example") is None


@pytest.mark.interpreted
def test_a_list_of_names_of_one_hash_is_left_out_and_slows_nothing():
    """Names that find no room are not known, and no look takes longer than some places."""
    places = 64
    alike = []
    for number in count():
        name = f"n{number}.example"
        if crc32(reversed_key(name_from_text(name))) % places == 7:
            alike.append(name)
        if len(alike) == 40:
            break
    table = table_of(dict.fromkeys(alike, (1,)))
    assert len(table._slots) == places
    known = [name for name in alike if find(table, name) is not None]
    assert known == alike[: len(known)]
    assert len(known) == 16
    looks = []
    table._slots = Counted(table._slots, looks)
    assert find(table, alike[-1]) is None
    assert 16 <= len(looks) <= 16 + 16, "for the name, and the one above it"


class Counted:
    def __init__(self, slots, looks):
        self._slots = slots
        self._looks = looks

    def __getitem__(self, place):
        self._looks.append(place)
        return self._slots[place]


def test_who_is_not_known_is_given_nobody_elses_spot(monkeypatch):
    """A name that found no room says nothing, although a name above it is known."""
    monkeypatch.setattr(module, "crc32", lambda key: 0 if len(labels_of_key(key)) > 1 else 20)
    listed = {"example": (1,)} | {f"n{n}.example": (2,) for n in range(20)}
    table = table_of(listed)
    spots = [find(table, f"n{n}.example") for n in range(20)]
    assert spots.count(None) == 4
    assert find(table, "x.example") is None, "all places that it may be at are taken by others"
    assert find(table, "example") is not None


def test_below_a_name_that_found_no_room_nothing_is_known(monkeypatch):
    monkeypatch.setattr(module, "crc32", lambda key: 0 if len(labels_of_key(key)) == 2 else 20)
    table = table_of({f"n{n}.example": (2,) for n in range(20)})
    for below in ("x", "y.x"):
        spots = [find(table, f"{below}.n{n}.example") for n in range(20)]
        assert spots.count(None) == 4
        assert len(set(spots)) == 2


def labels_of_key(key):
    return labels_of(key + b"\0")


@pytest.mark.parametrize("size", [0, 1, 5, 1000])
def test_a_third_of_the_places_at_least_are_free(size):
    tables = build_spots([reversed_key(name_from_text(f"n{n}.example")) for n in range(size)], lambda _: (1,))
    assert len(tables.slots) & len(tables.slots) - 1 == 0
    assert sum(offset != 0 for offset in tables.slots) == size <= len(tables.slots) / 1.5
