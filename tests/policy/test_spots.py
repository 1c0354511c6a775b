"""The table of spots: over random lists the same as a search for every name above, and no list makes it slow."""

from itertools import count
from random import Random
from zlib import crc32

import marisa_trie
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.image_file import SpotTables
from sinkhole.policy.lookalikes import NO_BRANDS, Lookalikes
from sinkhole.policy.ordinary import Ordinary
from sinkhole.policy.signs import NO_SIGNS, Signs
from sinkhole.policy.spots import Spots, build_spots
from sinkhole.protocol.names import name_from_text, reversed_key

LOOKALIKES = Lookalikes(NO_BRANDS)
KINDS = ((1,), (2,), (1, 2), None)


def key_of(name):
    return reversed_key(name_from_text(name))


def tables_of(listed):
    rows = list(listed.values())
    return build_spots([key_of(name) for name in listed], rows.__getitem__)


def table_of(listed, tables=None):
    """Return the table of a mapping of names to rows."""
    trie = marisa_trie.BinaryTrie(list(map(key_of, listed)))
    return Spots(tables or tables_of(listed), trie, Ordinary(trie, LOOKALIKES, Signs(NO_SIGNS, LOOKALIKES)))


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
    for name in names * 2:  # what was remembered the first time makes no difference
        spot, wanted = find(table, name), stands(listed, name)
        assert (spot is None) is (wanted is None), name
        assert seen.setdefault(spot, wanted) == wanted
    assert len(set(map(seen.get, seen))) == len(seen), "names of one spot have two"


def test_it_is_remembered_of_no_more_than_a_batch_of_names_that_nothing_is_listed_above_them():
    """Of those, that is, that are not known to be ordinary."""
    listed = {"ads.example": (1,), "b.c.example": (2,)}
    table = table_of(listed)
    names = [f"xn--a{number}.{zone}" for number in range(400) for zone in ("ads.example", "example")]
    for name in (*names, "x.b.c.example", "xn--c.example", "ads.example", "c.example"):
        find(table, name)
        assert (key_of(name) in table.unlisted) is (name.startswith("xn--") and stands(listed, name) is None)
        assert len(table.unlisted) <= 256


def of_names_above(depth):
    """Return a table in which a name so many labels above the deepest is listed, and names below each other."""
    names = [".".join(f"l{number}" for number in range(at, 8)) for at in range(8)]
    return table_of({names[depth]: (1,)}), names


@pytest.mark.parametrize("depth", range(8))
@pytest.mark.parametrize("order", [1, -1])
def test_a_listed_name_is_found_however_far_above_and_whatever_was_asked_before(depth, order):
    table, names = of_names_above(depth)
    for at in (*range(8)[::order], *range(8)):
        for first in ("", "x.", "y."):
            assert (find(table, first + names[at]) is not None) is (at <= depth), names[at]


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
    names = ("example", "a.example", "b.example", "a.b.example", "c.b.example", "x.c.b.example")
    spots = [find(table, name) for name in names]
    assert None not in spots
    assert len(set(spots)) == len(spots)
    assert find(table, "y.x.c.b.example") == spots[-1]
    assert find(table, "y.a.b.example") == spots[3]


def test_an_empty_table_knows_nothing():
    assert find(table_of({}), "a.example") is None


PLACES, MOST = 256, 32


def of_one_hash(number):
    """Return names whose records belong at one place of a table of so many places."""
    names = (f"n{n}.example" for n in count())
    alike = (name for name in names if crc32(key_of(name)) % PLACES == 7)
    return [next(alike) for _ in range(number)]


class Counted:
    def __init__(self, slots):
        self._slots = slots
        self.looks = 0

    def __len__(self):
        return len(self._slots)

    def __getitem__(self, place):
        self.looks += 1
        return self._slots[place]


def test_below_a_name_that_found_no_room_nothing_is_ordinary():
    """It is listed, though the table does not know."""
    names = of_one_hash(70)
    table = table_of(dict.fromkeys(names, (1,)))
    known = [find(table, f"x.{name}") is not None for name in names]
    assert 0 < sum(known) <= MOST
    for name in names:
        find(table, f"y.{name}")
        assert not table._ordinary.knows(name_from_text(f"x.{name}"))
        assert not table._ordinary.knows(name_from_text(f"y.{name}"))


@pytest.mark.interpreted
def test_a_list_of_names_of_one_hash_slows_nothing():
    """What finds no room is not known, and nobody else's either; no look takes longer than some places."""
    names = of_one_hash(70)
    listed = dict.fromkeys(names, (1,)) | {"example": (2,)}
    tables = tables_of(listed)
    slots = Counted(tables.slots)
    assert len(slots) == PLACES
    table = table_of(listed, SpotTables(slots, tables.records))
    known = [name for name in names if find(table, name) is not None]
    assert 0 < len(known) <= MOST
    for name in set(names) - set(known):
        for below in ("x", "y.x"):
            slots.looks = 0
            assert find(table, f"{below}.{name}") is None
            assert slots.looks <= 2 * MOST
    assert find(table, "other.example") not in {find(table, name) for name in known}


@pytest.mark.interpreted
def test_a_name_of_many_labels_takes_no_more_looks():
    listed = {f"n{number}.example": (1,) for number in range(100)}
    tables = tables_of(listed)
    slots = Counted(tables.slots)
    table = table_of(listed, SpotTables(slots, tables.records))
    deep = "a." * 100
    for name in (f"{deep}n1.example", f"{deep}other.example", f"{deep}invalid"):
        slots.looks = 0
        find(table, name)
        assert slots.looks < 20


@pytest.mark.parametrize("size", [0, 1, 5, 16_000, 16_384])
def test_names_that_mean_no_harm_find_room(size):
    """Half of the places at least are free, where a name in ten thousand finds none."""
    keys = [key_of(f"n{number}.example") for number in range(size)]
    tables = build_spots(keys, lambda _: (1,))
    assert len(tables.slots) & len(tables.slots) - 1 == 0
    kept = sum(offset != 0 for offset in tables.slots)
    assert size - size // 10_000 <= kept <= len(tables.slots) / 2
