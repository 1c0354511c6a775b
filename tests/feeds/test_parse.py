import tracemalloc
from collections.abc import Iterator

import pytest

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.parse import READERS, ParseLimits, parse
from sinkhole.policy.rule import Match, Rejection, Rule, RuleAction
from tests.feeds.reading import names, read, rejections, rules


def test_invalid_rows_are_refused_with_their_place_and_neighbours_work() -> None:
    """R-L09."""
    found = read("a.example\nfoo..example\nb.example\n", "domains")
    assert found[1] == Rejection(2, 5, "an empty label", "foo..example")
    assert [(rule.name, rule.line) for rule in rules(found)] == [("a.example", 1), ("b.example", 3)]


def test_byte_order_mark_line_ends_and_a_missing_last_one() -> None:
    """R-L01."""
    assert [r.name for r in rules(read(b"\xef\xbb\xbfa.example\r\nb.example\r\n\r\nc.example", "domains"))] == [
        "a.example",
        "b.example",
        "c.example",
    ]


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        (b"latin1-\xe9.example", 8, "not UTF-8"),
        ("bü\udcff.example".encode("utf-8", "surrogateescape"), 3, "not UTF-8"),
        (b"nul\x00byte.example", 4, "a NUL octet"),
        (b"x" * 70_000, 1, "a row has at most 65536 octets"),
    ],
)
def test_octets_that_are_no_row_of_text(row: bytes, column: int, why: str) -> None:
    """R-L13."""
    found = list(parse([b"a.example\n", row + b"\n", b"b.example\n"], "domains"))
    assert [type(row) for row in found] == [Rule, Rejection, Rule]
    assert isinstance(found[1], Rejection)
    assert (found[1].line, found[1].column) == (2, column)
    assert found[1].why.startswith(why)
    assert len(found[1].text) <= 500


@pytest.mark.parametrize("head", [b"<html>", b'{"error": 1}', b"\x1f\x8b\x08", "\ufeffa.example".encode("utf-16")])
def test_an_error_page_is_refused_whole_whatever_the_format(head: bytes) -> None:
    """R-F01."""
    for kind in READERS:
        with pytest.raises(FeedFormatError):
            list(parse([head], kind))


def test_auto_reads_the_format_off_the_first_rows() -> None:
    assert names("||a.example^\n", "auto") == [(Match.SUFFIX, "a.example")]
    assert names("0.0.0.0 a.example\n", "auto") == [(Match.EXACT, "a.example")]


def test_unknown_words_name_the_known_ones() -> None:
    with pytest.raises(FeedFormatError, match="hosts, domains, adblock"):
        read("a.example", "hots")
    with pytest.raises(FeedFormatError, match="format, exact or suffix"):
        read("a.example", "domains", "sufix")


def test_too_many_rows_refuse_the_list() -> None:
    """R-L13."""
    with pytest.raises(FeedFormatError, match="more than 2 rows"):
        list(parse([b"a.example\n"] * 3, "domains", limits=ParseLimits(rows=2)))


def test_match_suffix_takes_in_all_below() -> None:
    hosts = rules(read("0.0.0.0 deepseek.com", "hosts", "suffix"))
    assert hosts == [Rule(Match.SUFFIX, "deepseek.com", line=1)]
    assert [r.match for r in rules(read("*.x.example CNAME .", "rpz", "suffix"))] == [Match.SUFFIX]


def test_match_exact_narrows_blocks_and_leaves_the_rest() -> None:
    found = rules(read("||a.example^\n@@||b.example^\n||c*.example^\nfoo..x", "adblock", "exact"))
    assert [(r.match, r.action) for r in found] == [
        (Match.EXACT, RuleAction.BLOCK),
        (Match.SUFFIX, RuleAction.ALLOW),
        (Match.MASK, RuleAction.BLOCK),
    ]


def test_masks_of_a_remote_list_are_bounded() -> None:
    """Each mask without a definite end is tried on every query, so a list of nothing else would slow all of them."""
    text = "\n".join(f"*wide{n}*" for n in range(5)) + "\n||definite*.example.org^\n||a.example^\n"
    lines = text.encode().splitlines()
    found = list(parse(lines, "adblock", limits=ParseLimits(masks=3)))
    assert len(rules(found)) == 5
    assert [row.text for row in rejections(found)] == ["*wide3*", "*wide4*"]
    assert len(rules(parse(lines, "adblock", local=True, limits=ParseLimits(masks=3)))) == 7


def test_expressions_of_remote_lists_are_off_unless_asked_for() -> None:
    """R-L11."""
    assert rejections(read("/^ads[0-9]/", "adblock"))
    assert rules(parse([b"/^ads[0-9]/"], "adblock", regexes=True)) == [Rule(Match.REGEX, "^ads[0-9]", line=1)]
    assert rules(read("/^ads[0-9]/", "adblock", local=True))
    assert rejections(parse([b"/^ads[0-9]/"], "adblock", local=True, regexes=False))


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("hosts", b"0.0.0.0 host-%d.example.org\n"),
        ("domains", b"host-%d.example.org\n"),
        ("adblock", b"||host-%d.example.org^\n"),
    ],
)
def test_memory_does_not_grow_with_the_list(kind: str, row: bytes) -> None:
    """R-L14: rows come one by one."""

    def lines() -> Iterator[bytes]:
        for number in range(60_000):
            yield row % number

    tracemalloc.start()
    try:
        assert sum(1 for _ in parse(lines(), kind)) == 60_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("domains", "a.example\nb.example\n"),
        ("domains", "*.a.example\n*.b.example\n"),
        ("adblock", "||a.example^\n||b.example^\n"),
        ("dnsmasq", "address=/a.example/\naddress=/b.example/#\n"),
        ("unbound", 'local-zone: "a.example." always_null\nlocal-zone: "b.example" static\n'),
        ("squidguard", "a.example\nb.example\n"),
        ("v2fly", "a.example\ndomain:b.example\n"),
        ("clash", "+.a.example\nDOMAIN-SUFFIX,b.example\n"),
    ],
)
def test_one_list_in_several_formats_means_the_same(kind: str, text: str) -> None:
    """R-L15."""
    assert names(text, kind) == [(Match.SUFFIX, "a.example"), (Match.SUFFIX, "b.example")]


WIDE = {
    "hosts": ["0.0.0.0 com", "0.0.0.0 co.uk", "0.0.0.0 *"],
    "domains": ["com", "co.uk", "*.com", "+.uk", ".org", "*", ".", "*."],
    "adblock": [
        "||com^", "||co.uk^", "||*^", "*", "|*|", "||^", "^", "||", "||*.com^", "*.com", ".com^", "com^", "com|",
        "||*.co.uk^", "*com*", "||a*^", "*.*", "||www.*^", "*$dnstype=A", "||*^$denyallow=example.org", "/.*/", "a",
        "|com^",
    ],
    "rpz": ["* CNAME .", "*.com CNAME .", "com CNAME ."],
    "dnsmasq": ["address=/#/", "address=/com/0.0.0.0", "local=/co.uk/", "server=/#/"],
    "unbound": ['local-zone: "." static', 'local-zone: "com." refuse'],
    "v2fly": ["com", "domain:com", "full:com", "keyword:com", "keyword:a"],
    "clash": ["+.com", ".com", "*", "DOMAIN-SUFFIX,com", "DOMAIN-KEYWORD,com", "DOMAIN,com"],
    "squidguard": ["com", "co.uk"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "row"), [(kind, row) for kind, rows in WIDE.items() for row in rows])
def test_too_wide_rows_of_remote_lists_are_refused(kind: str, row: str) -> None:
    """R-L12."""
    found = read(row, kind)
    assert rejections(found)
    assert not rules(found)


@pytest.mark.parametrize("row", ["/.*/", "/./", "/[a-z]/", "/^.+$/", "/example|net|test|invalid/"])
def test_too_wide_expressions_are_refused_even_where_expressions_are_on(row: str) -> None:
    """R-L12."""
    found = list(parse([row.encode()], "adblock", regexes=True))
    assert [r.why.startswith("too wide") for r in rejections(found)] == [True]
