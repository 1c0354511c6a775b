"""Names: compression, 8-bit cleanness, text form, keys."""

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import FormError
from sinkhole.protocol.names import (
    ROOT,
    fold,
    is_at_or_below,
    labels_of,
    name_from_text,
    name_to_text,
    parents_of,
    read_name,
    reversed_key,
)
from tests.cost import least_cost

WWW = b"\x03www\x07Example\x03org\x00"
HEADER = bytes(12)


@st.composite
def wire_names(draw: st.DrawFn) -> bytes:
    labels = draw(st.lists(st.binary(min_size=1, max_size=63), max_size=6))
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    return name if len(name) <= 255 else ROOT


def pointer(offset: int) -> bytes:
    return (0xC000 | offset).to_bytes(2, "big")


def test_name_is_read_in_its_letter_case():
    assert read_name(HEADER + WWW + b"rest", 12) == (WWW, 12 + len(WWW))


def test_pointer_leads_to_an_earlier_name():
    wire = HEADER + WWW + b"\x04mail" + pointer(16)
    assert read_name(wire, 29) == (b"\x04mail\x07Example\x03org\x00", 36)


def test_pointer_to_a_pointer_is_followed():
    wire = HEADER + WWW + b"\x01a" + pointer(16) + pointer(29)
    assert read_name(wire, 33) == (b"\x01a\x07Example\x03org\x00", 35)


def test_names_once_read_are_remembered_from_each_label_on():
    seen: dict[int, bytes] = {}
    wire = HEADER + WWW + pointer(12) + pointer(16) + pointer(12)
    assert [read_name(wire, at, seen)[0] for at in (29, 31, 33)] == [WWW, WWW[4:], WWW]
    assert set(seen) == {12, 16, 24}


def test_pointer_to_a_bare_root_is_the_root():
    assert read_name(HEADER + ROOT + pointer(12), 13, {}) == (ROOT, 15)


@pytest.mark.parametrize(
    ("wire", "at"),
    [
        (HEADER + pointer(12), 12),
        (HEADER + pointer(14) + pointer(12), 14),
        (HEADER + pointer(20) + b"\0" * 20, 12),
        (HEADER + WWW + pointer(0), 29),
        (HEADER + WWW + pointer(11), 29),
        (HEADER + b"\x01a" + pointer(12), 12),
        (HEADER + b"\x01a" + pointer(12) + pointer(12), 16),
        (HEADER + b"\x01a\x01b" + pointer(14) + pointer(12), 18),
    ],
    ids=["self", "mutual", "forward", "header", "header end", "own label", "loop behind", "into own labels"],
)
def test_pointer_not_to_an_earlier_name_is_refused(wire: bytes, at: int):
    """R-W06: compression pointers lead only backward."""
    with pytest.raises(FormError):
        read_name(wire, at)


def test_chain_of_200_pointers_is_refused():
    """R-W06: the count of pointers is bounded."""
    wire = HEADER + b"\x01a\x00" + pointer(12) + b"".join(pointer(15 + 2 * i) for i in range(200))
    with pytest.raises(FormError, match="127"):
        read_name(wire, len(wire) - 2)


def test_hostile_names_cost_no_more_than_their_octets():
    """R-W06: five thousand owners of 120 labels each, all shared, are read in linear time."""
    wire = bytearray(HEADER + b"\x01a" * 120 + b"\0")
    start = len(wire)
    for _ in range(20_000):
        wire += b"\x01b" + pointer(12)
    frozen = bytes(wire)

    def read_all() -> None:
        seen, at = dict[int, bytes](), start
        for _ in range(20_000):
            at = read_name(frozen, at, seen)[1]
        assert at == len(wire)

    assert least_cost(read_all) < 0.5


@pytest.mark.parametrize("first", [0x40, 0x80, 0xBF])
def test_label_types_01_and_10_are_refused(first: int):
    """R-W07: extended and unassigned label types."""
    with pytest.raises(FormError, match="types 01 and 10"):
        read_name(HEADER + bytes((first,)) + bytes(80), 12)


def test_names_have_at_most_255_octets():
    """R-W07: 255 octets pass, 256 do not, with and without a pointer."""
    longest = b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 2 + b"\x3d" + b"c" * 61 + b"\0"
    assert len(longest) == 255
    assert read_name(HEADER + longest, 12)[0] == longest
    for at, wire in (
        (12, HEADER + b"\x01x" + longest),
        (12 + 255, HEADER + longest + b"\x01x" + pointer(12)),
        (12 + 257, HEADER + b"\x01x" + longest + pointer(12)),
    ):
        with pytest.raises(FormError, match="255"):
            read_name(wire, at)


@pytest.mark.parametrize("cut", range(len(WWW)))
def test_name_cut_off_is_refused(cut: int):
    """R-W05: reading never passes the end."""
    with pytest.raises(FormError, match="cut off"):
        read_name(HEADER + WWW[:cut], 12)


def test_pointer_cut_in_half_is_refused():
    """R-W05: a pointer has two octets."""
    with pytest.raises(FormError, match="cut off"):
        read_name(HEADER + WWW + b"\xc0", 29)


@given(wire_names())
def test_any_name_survives_text(name: bytes):
    """R-W08: names are 8-bit clean."""
    assert name_from_text(name_to_text(name)) == name


@given(wire_names())
def test_text_is_what_dnspython_reads(name: bytes):
    """R-W08: a stranger reads the same octets from our text."""
    text = name_to_text(name)
    assert text.isascii()
    assert text.isprintable()
    assert dns.name.from_text(text).to_wire() == name


def test_odd_octets_are_escaped():
    """R-W08: NUL, dot, blank, 0xFF and newline never reach a log as they are."""
    assert name_to_text(b'\x08\0. \xff<\n"\\\x03org\0') == r"\000\.\032\255<\010\"\\.org"
    assert name_to_text(ROOT) == "."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (".", ROOT),
        ("example.org", b"\x07example\x03org\x00"),
        ("Example.org.", b"\x07Example\x03org\x00"),
        (r"a\.b.org", b"\x03a.b\x03org\x00"),
        (r"\000\255\\", b"\x03\0\xff\\\0"),
        ("bücher.example", b"\x0dxn--bcher-kva\x07example\x00"),
        ("BÜCHER。_x.example", b"\x0dxn--bcher-kva\x02_x\x07example\x00"),
        ("*.example.org", b"\x01*\x07example\x03org\x00"),
    ],
)
def test_text_becomes_a_name(text: str, name: bytes):
    assert name_from_text(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a..org",
        ".org",
        "a" * 64,
        ".".join(["a" * 49] * 6),
        "a" * 2000,
        "\\",
        r"\25",
        r"\256",
        r"\1a2",
        r"ü\.org",
        "\u2603.example",
        "xn--\u00fc.example",
        "\ud800.example",
        "a\u0301\u200d.example",
    ],
)
def test_wrong_text_is_refused(text: str):
    with pytest.raises(FormError):
        name_from_text(text)


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_refused(text: str):
    try:
        name = name_from_text(text)
    except FormError:
        return
    assert read_name(HEADER + name, 12) == (name, 12 + len(name))


def test_parents_go_up_to_the_root():
    assert list(parents_of(WWW)) == [WWW, WWW[4:], WWW[12:], ROOT]
    assert labels_of(WWW) == (b"www", b"Example", b"org")
    assert labels_of(ROOT) == ()


def test_folding_lowers_ascii_only():
    assert fold(b"\x04A\xc4Z[\0") == b"\x04a\xc4z[\0"


def test_reversed_key_of_a_parent_is_a_prefix():
    assert reversed_key(WWW) == b"\x03org\x07example\x03www"
    assert reversed_key(ROOT) == b""


@given(wire_names())
def test_keys_of_all_parents_are_prefixes(name: bytes):
    key = reversed_key(name)
    assert all(key.startswith(reversed_key(parent)) for parent in parents_of(name))


def test_below_means_on_a_label_border():
    zone = name_from_text("example.org")
    assert is_at_or_below(zone, zone)
    assert is_at_or_below(name_from_text("a.b.example.org"), zone)
    assert is_at_or_below(zone, ROOT)
    assert not is_at_or_below(name_from_text("notexample.org"), zone)
    assert not is_at_or_below(name_from_text("org"), zone)
    # one label whose last octets look like the zone
    assert not is_at_or_below(b"\x0da" + zone[:-1] + b"\0", zone)
