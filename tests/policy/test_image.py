"""The compiled names, in memory and as a file."""

import hashlib
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.compiler import MAX_PATTERNS, ImageCompiler
from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex, build_image
from sinkhole.policy.row import MAX_FEEDS
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from sinkhole.policy.vendor import DomainMatch
from sinkhole.protocol.names import name_from_text, reversed_key
from tests.policy.world import PROTECTED, VENDORS, domain, listed, product, vendor


def index_of(*rules: Rule | str, local: bool = False) -> NameIndex:
    return NameIndex.from_rules([listed("test", *rules, local=local)])


def lines(index: NameIndex, name: str | bytes) -> list[int]:
    found = index.find(name if isinstance(name, bytes) else name_from_text(name).lower())
    return sorted(rule.line for rule in found.rows.get(0, ())) if found else []


def products(index: NameIndex, name: str) -> list[str]:
    found = index.find(name_from_text(name))
    return [entry.product for entry in found.entries] if found else []


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        (Match.EXACT, ["x.example"]),
        (Match.SUFFIX, ["x.example", "a.x.example", "a.b.x.example"]),
        (Match.BELOW, ["a.x.example", "a.b.x.example"]),
    ],
)
def test_rules_match_at_label_borders_only(match, hits):
    """R-B04."""
    index = index_of(Rule(match, "x.example", line=1))
    names = ["x.example", "a.x.example", "a.b.x.example", "notx.example", "x-y.example", "x.example.org", "x.other"]
    assert [name for name in names if lines(index, name)] == hits


def test_name_with_any_octets_matches_the_suffix():
    index = index_of("deepseek.example")
    assert lines(index, b"\x01\xff\x08deepseek\x07example\x00") == [1]
    assert lines(index, b"\x03a.b\x08deepseek\x07example\x00") == [1]
    # A label that spells the end of the name is one label, not two.
    assert lines(index, b"\x10deepseek\x07example\x00") == []


def test_all_rows_of_a_name_are_found_whatever_their_order():
    rules = [
        Rule(Match.SUFFIX, "example", line=1),
        Rule(Match.EXACT, "a.example", line=2),
        Rule(Match.BELOW, "a.example", line=3),
        Rule(Match.SUFFIX, "a.example", RuleAction.ALLOW, line=4),
        Rule(Match.SUFFIX, "a.example", important=True, line=5),
    ]
    for order in (rules, rules[::-1]):
        found = index_of(*order).find(name_from_text("a.example"))
        assert sorted(found.rows[0], key=lambda rule: rule.line) == [rules[0], rules[1], rules[3], rules[4]]


def test_rule_with_condition_is_found_in_full():
    rule = Rule(Match.SUFFIX, "x.example", condition=Condition(qtypes=(1,), denyallow=("ok.x.example",)), line=7)
    assert index_of(rule).find(name_from_text("a.x.example")).rows == {0: [rule]}


def test_rows_of_several_lists_are_told_apart():
    index = NameIndex.from_rules([listed("one", "x.example"), listed("two", "y.example", "x.example")])
    assert {n: rules[0].line for n, rules in index.find(name_from_text("x.example")).rows.items()} == {0: 1, 1: 2}
    assert [feed.name for feed in index.feeds] == ["one", "two"]


@pytest.mark.parametrize(
    ("mask", "hits"),
    [
        ("||ads*.x.example^", ["ads.x.example", "ads1.x.example", "b.ads.x.example"]),
        ("||x.example^", ["x.example", "ads.x.example", "ads1.x.example", "b.ads.x.example"]),
        ("*.x.example^", ["ads.x.example", "ads1.x.example", "b.ads.x.example"]),
        ("||ads", ["ads.x.example", "ads1.x.example", "b.ads.x.example", "ads.example"]),
    ],
)
def test_masks_are_found(mask, hits):
    """R-L04: with a definite suffix and without one."""
    index = index_of(Rule(Match.MASK, mask, line=1))
    names = ["x.example", "ads.x.example", "ads1.x.example", "b.ads.x.example", "ads.example", "pads.example"]
    assert [name for name in names if lines(index, name)] == hits
    assert [name for name in names if lines(index, name)] == hits


def test_regular_expressions_are_found():
    """R-L10."""
    index = index_of(Rule(Match.REGEX, r"^ads?\d+\.", line=1), Rule(Match.REGEX, "(a+)+$", line=2))
    assert lines(index, "ad7.example") == [1]
    assert lines(index, "x.aaa") == [2]
    assert lines(index, "www.example") == []


def test_rows_that_cannot_be_compiled_are_refused_by_themselves():
    """R-L10, R-L12: the neighbours work, and the reason is kept."""
    index = index_of(
        Rule(Match.REGEX, "(?=x)", line=1),
        Rule(Match.SUFFIX, "a..b", line=2),
        Rule(Match.SUFFIX, "good.example", line=3),
        Rule(Match.SUFFIX, ".", line=4),
        Rule(Match.SUFFIX, "x.example", condition=Condition(denyallow=("a..b",)), line=5),
        Rule(Match.SUFFIX, "x.example", RuleAction.REWRITE, rewrite="A 192.0.2.1", line=6),
    )
    assert lines(index, "good.example") == [3]
    assert lines(index, "x.example") == []
    assert [refusal.rejection.line for refusal in index.refused] == [1, 2, 4, 5, 6]
    assert "only a local list can choose an answer" in index.refused[-1].rejection.why
    assert index.refused[0].feed == "test"


def test_patterns_at_one_name_are_bounded():
    rules = [Rule(Match.MASK, f"||ads{n}*.x.example^", line=n) for n in range(MAX_PATTERNS + 2)]
    index = index_of(*rules, *(Rule(Match.REGEX, f"^host{n}$", line=n) for n in range(MAX_PATTERNS + 1)))
    assert lines(index, "ads999z.x.example") == [9, 99, 999]
    assert lines(index, "host999") == [999]
    assert [(r.rejection.line, "at x.example" in r.rejection.why) for r in index.refused] == [
        (1000, True),
        (1001, True),
        (1000, False),
    ]


def test_compiled_masks_are_bounded_and_come_back():
    index = index_of(*(Rule(Match.MASK, f"||ads*.site{n}.example^", line=n) for n in range(1, 1102)))
    for _ in range(2):
        assert all(lines(index, f"ads7.site{n}.example") == [n] for n in range(1, 1102))


def test_lists_are_bounded():
    gathered = ImageCompiler()
    for _ in range(MAX_FEEDS):
        gathered.add_feed(Feed("one", "u"), ())
    with pytest.raises(PolicyError, match=f"more than {MAX_FEEDS} feeds"):
        gathered.add_feed(Feed("two", "u"), ())


def test_catalogue_domains_match_as_they_say():
    index = NameIndex.from_rules([], VENDORS)
    assert products(index, "deepseek.example") == ["deepseek/chat"]
    assert products(index, "v1.api.deepseek.example") == ["deepseek/api", "deepseek/chat"]
    assert products(index, "log.shared.example") == ["deepseek/telemetry"]
    assert products(index, "x.log.shared.example") == []
    assert products(index, "model.eu.cloud.example") == ["cloud/models"]
    for other in ("model.cloud.example", "model.a.b.cloud.example", "x.model.eu.cloud.example", "cloud.example"):
        assert products(index, other) == []


def test_star_may_stand_for_part_of_a_label():
    entry = vendor("v", product("v/p", domain("*-api.cloud.example", DomainMatch.WILDCARD)))
    index = NameIndex.from_rules([], [entry])
    assert products(index, "eu-api.cloud.example") == ["v/p"]
    assert products(index, "-api.cloud.example") == []
    assert products(index, "eu-app.cloud.example") == []


@pytest.mark.parametrize("name", ["*.*.example", "a.*", "a.example"])
def test_wrong_wildcard_is_refused(name):
    with pytest.raises(PolicyError, match="one label with"):
        NameIndex.from_rules([], [vendor("v", product("v/p", domain(name, DomainMatch.WILDCARD)))])


def test_more_specific_domains_come_first():
    """Exact before wildcard before suffix of the same length."""
    rows = [
        product("v/a", domain("b.c.example")),
        product("v/b", domain("*.c.example", DomainMatch.WILDCARD)),
        product("v/c", domain("b.c.example", DomainMatch.EXACT)),
        product("v/d", domain("example")),
        product("v/e", domain("b.c.example")),
    ]
    for order in (rows, rows[::-1]):
        index = NameIndex.from_rules([], [vendor("v", *order)])
        assert products(index, "b.c.example") == ["v/c", "v/b", "v/e", "v/a", "v/d"]


def test_protected_names_are_exact():
    index = NameIndex.from_rules([], VENDORS, PROTECTED)
    assert index.find(name_from_text("update.example")).is_protected
    assert index.find(name_from_text("x.update.example")) is None
    assert index.find(name_from_text("status.deepseek.example")).is_protected
    assert not index.find(name_from_text("x.status.deepseek.example")).is_protected


def test_rules_on_single_clients_are_known():
    assert not index_of(Rule(Match.SUFFIX, "x.example", condition=Condition(qtypes=(1,)))).by_client
    assert index_of(Rule(Match.SUFFIX, "x.example", condition=Condition(clients=("192.0.2.1",)))).by_client


FEEDS = (
    listed("one", "x.example", Rule(Match.MASK, "||ads*.y.example^", line=2), Rule(Match.REGEX, "^z+$", line=3)),
    listed("two", Rule(Match.SUFFIX, "x.example", condition=Condition(qtypes=(28,)), line=9), part_of_ai=True),
)


def test_file_finds_what_memory_finds(tmp_path):
    name = build_image(tmp_path, VENDORS, FEEDS, PROTECTED)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    mapped, memory = NameIndex.open(tmp_path / name, verify=True), NameIndex.from_rules(FEEDS, VENDORS, PROTECTED)
    assert len(mapped) == len(memory) > 0
    assert mapped.feeds == memory.feeds
    for text in ("a.x.example", "ads2.y.example", "zzz", "api.deepseek.example", "update.example", "other.example"):
        wire = name_from_text(text)
        assert mapped.find(wire) == memory.find(wire)


def test_same_input_gives_the_same_file(tmp_path):
    assert build_image(tmp_path, VENDORS, FEEDS, PROTECTED) == build_image(tmp_path, VENDORS, FEEDS, PROTECTED)
    assert build_image(tmp_path, VENDORS, FEEDS, ()) != build_image(tmp_path, VENDORS, FEEDS, PROTECTED)


def test_empty_image_knows_nothing(tmp_path):
    index = NameIndex.open(tmp_path / build_image(tmp_path, (), (), ()), verify=True)
    assert index.find(name_from_text("example.org")) is None
    assert index.find(b"\0") is None


def test_file_stays_readable_when_it_is_removed(tmp_path):
    path = tmp_path / build_image(tmp_path, VENDORS, FEEDS, PROTECTED)
    index = NameIndex.open(path)
    path.unlink()
    assert products(index, "deepseek.example") == ["deepseek/chat"]


def test_broken_file_is_refused(tmp_path):
    path = tmp_path / build_image(tmp_path, VENDORS, FEEDS, PROTECTED)
    good = path.read_bytes()
    broken = tmp_path / "broken.img"
    for data, why in [
        (b"", "cannot be read"),
        (b"short", "is not a file of compiled names"),
        (good[:-1], "cut short"),
        (good[: len(good) // 2], "cut short"),
        (good[100:], "octets; wanted"),
        (_with_version(good, 9), "has format 9"),
    ]:
        broken.write_bytes(data)
        with pytest.raises(PolicyError, match=why):
            NameIndex.open(broken)
    with pytest.raises(PolicyError, match="cannot be read"):
        NameIndex.open(tmp_path / "absent.img")


def _with_version(data: bytes, version: int) -> bytes:
    at = data.rindex(b"sinknam\0") + 8
    return data[:at] + struct.pack("=I", version) + data[at + 4 :]


def test_changed_content_shows_when_it_is_verified(tmp_path):
    path = tmp_path / build_image(tmp_path, VENDORS, FEEDS, PROTECTED)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"deepseek/chat", b"deepseek/chap"))
    NameIndex.open(path)
    with pytest.raises(PolicyError, match="sha256 differs"):
        NameIndex.open(path, verify=True)


def test_file_without_spots_is_read(tmp_path):
    """As written by versions that had none: policy stays in force until its names are compiled anew."""
    path = tmp_path / build_image(tmp_path, VENDORS, FEEDS, PROTECTED)
    older = tmp_path / without_spots(path)
    index, now = NameIndex.open(older, verify=True), NameIndex.open(path)
    for text in ("a.x.example", "ads2.y.example", "api.deepseek.example", "other.example"):
        wire = name_from_text(text)
        assert index.find(wire) == now.find(wire)
        assert index.spot(wire, reversed_key(wire)) is None


def without_spots(path):
    """Write compiled names in the form before; return the name of the file."""
    data = path.read_bytes()
    newer, older = (struct.Struct("=8sI4xQ" + "QQ" * tables + "32s") for tables in (7, 5))
    magic, _, _, *spans, _ = newer.unpack(data[-newer.size :])
    body = data[: spans[10]]
    footer = older.pack(magic, 1, len(body) + older.size, *spans[:10], b"")[:-32]
    digest = hashlib.sha256(body + footer)
    name = f"names-{digest.hexdigest()[:16]}.img"
    path.with_name(name).write_bytes(body + footer + digest.digest())
    return name


def test_broken_trie_is_refused(tmp_path):
    path = tmp_path / build_image(tmp_path, VENDORS, FEEDS, PROTECTED)
    data = path.read_bytes()
    path.write_bytes(b"X" * 64 + data[64:])
    with pytest.raises(PolicyError, match="has no trie"):
        NameIndex.open(path)


def test_broken_metadata_is_refused():
    tables = ImageCompiler().tables()
    for metadata in (b"{", b"{}", b"[]", b'{"entries": [[1]]}'):
        changed = replace(tables, metadata=memoryview(metadata))
        with pytest.raises(PolicyError, match="metadata cannot be read"):
            NameIndex(changed)


def test_folder_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="absent"):
        build_image(tmp_path / "absent", (), (), ())
    assert list(tmp_path.iterdir()) == []


labels = st.sampled_from(["a", "b", "ab", "c"])
texts = st.lists(labels, min_size=1, max_size=4).map(".".join)
plain_rules = st.builds(Rule, st.sampled_from([Match.EXACT, Match.SUFFIX, Match.BELOW]), texts, line=st.integers(1, 99))


def _plainly_matches(rule: Rule, name: str) -> bool:
    is_below = name.endswith("." + rule.name)
    return {
        Match.EXACT: name == rule.name,
        Match.SUFFIX: is_below or name == rule.name,
        Match.BELOW: is_below,
    }[rule.match]


@given(st.lists(plain_rules, max_size=12), texts)
def test_index_finds_what_comparing_texts_finds(rules, name):
    """R-B04."""
    index = NameIndex.from_rules([FeedRules(Feed("f", "u"), rules)])
    assert lines(index, name) == sorted(rule.line for rule in rules if _plainly_matches(rule, name))
