from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from sinkhole.config.schema import RecordSettings
from sinkhole.policy.verdict import NO_MATCH, Action, Verdict
from sinkhole.protocol.names import name_from_text, name_to_text
from sinkhole.resolver.hits import MAX_MERGED, Hits
from tests.resolver.world import vendor

BLOCKED = Verdict(
    Action.BLOCK, "vendor:deepseek", vendor="deepseek", product="deepseek/chat", feed="list", group="staff"
)
MONITORED = Verdict(Action.MONITOR, "ai")
ALLOWED = Verdict(Action.ALLOW, "vendor:openai", vendor="openai")
START = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


def make(queries="all", **options):
    return Hits(RecordSettings(queries=queries), **options)


def count(hits, client, name, *rest):
    hits.count(client, name_from_text(name), *rest)


def test_equal_queries_of_a_minute_are_one_row():
    hits = make()
    for second in (0, 5, 29):
        count(hits, "192.0.2.1", "chat.deepseek.example", 1, BLOCKED, START + timedelta(seconds=second))
    (row,) = hits.drain(10)
    start = int(START.timestamp())
    assert (row.minute, row.count, row.first, row.last) == (start // 60, 3, start, start + 29)
    assert (row.client, row.group, row.name, row.qtype) == ("192.0.2.1", "staff", "chat.deepseek.example", 1)
    assert (row.action, row.vendor, row.product, row.feed, row.subject) == (
        "block", "deepseek", "deepseek/chat", "list", "vendor:deepseek",
    )  # fmt: skip


def test_minute_client_name_type_and_verdict_tell_rows_apart():
    hits = make()
    count(hits, "192.0.2.1", "a", 1, BLOCKED, START)
    count(hits, "192.0.2.1", "a", 1, BLOCKED, START + timedelta(minutes=1))
    count(hits, "192.0.2.2", "a", 1, BLOCKED, START)
    count(hits, "192.0.2.1", "b", 1, BLOCKED, START)
    count(hits, "192.0.2.1", "a", 28, BLOCKED, START)
    count(hits, "192.0.2.1", "a", 1, MONITORED, START)
    assert len(hits) == 6
    assert {row.count for row in hits.drain(10)} == {1}


@pytest.mark.parametrize(
    ("queries", "recorded"),
    [
        ("none", []),
        ("blocked", [BLOCKED, MONITORED]),
        ("matched", [BLOCKED, MONITORED, ALLOWED]),
        ("all", [BLOCKED, MONITORED, ALLOWED, NO_MATCH, None]),
    ],
)
def test_setting_says_what_is_recorded(queries, recorded):
    hits = make(queries)
    for verdict in (BLOCKED, MONITORED, ALLOWED, NO_MATCH, None):
        assert hits.wants(verdict) is (verdict in recorded)
        count(hits, "192.0.2.1", f"v{id(verdict)}", 1, verdict, START)
    assert len(hits) == len(recorded)


def test_rows_are_bounded_and_what_is_dropped_is_counted():
    """R-D01"""
    hits = make(max_rows=2)
    for name in ("a", "b", "c", "c", "a"):
        count(hits, "192.0.2.1", name, 1, BLOCKED, START)
    assert [(row.name, row.count) for row in hits.drain(10)] == [("a", 2), ("b", 1)]
    assert (hits.take_dropped(), hits.take_dropped()) == (2, 0)
    count(hits, "192.0.2.1", "c", 1, BLOCKED, START)
    assert len(hits) == 1


def test_names_beyond_the_bound_are_counted_for_their_domain():
    """R-D01: how many tried, who, and what for stays exact; only which names it were is lost."""
    hits = make(max_rows=100)
    for number in range(300):
        count(hits, f"192.0.2.{number % 2}", f"n{number}.flood.example.co.uk", 1, BLOCKED, START)
        count(hits, "192.0.2.9", f"n{number}.example.org", 28, MONITORED, START + timedelta(seconds=number % 20))
    rows = hits.drain(1000)
    assert hits.take_dropped() == 0
    assert {(row.name, row.client, row.count) for row in rows if row.name.startswith("*")} == {
        ("*.example.co.uk", "192.0.2.0", 125),
        ("*.example.co.uk", "192.0.2.1", 125),
        ("*.example.org", "192.0.2.9", 250),
    }
    assert {row.vendor: sum(r.count for r in rows if r.vendor == row.vendor) for row in rows} == {
        "deepseek": 300,
        None: 300,
    }
    (last,) = (row for row in rows if row.name == "*.example.org")
    assert (last.qtype, last.action, last.last - last.first) == (28, "monitor", 19)


@pytest.mark.parametrize(
    ("name", "merged"),
    [
        ("a.b.example.org", "*.example.org"),
        ("example.org", "*.example.org"),
        (r"evil\.x.example.org", "*.example.org"),
        (r"evil\.example", "*"),
        (r"x.evil\.one.example", r"*.evil\.one.example"),
        ("localhost", "*"),
        ("printer.lan", "*"),
        (".", "*"),
        (r"a.\010b.example", r"*.\010b.example"),
    ],
)
def test_domain_of_a_name_that_is_not_kept(name, merged):
    hits = make(max_rows=10)
    for number in range(10):
        count(hits, "192.0.2.1", f"{number}", 1, BLOCKED, START)
    count(hits, "192.0.2.1", name, 1, BLOCKED, START)
    count(hits, "192.0.2.1", name, 1, BLOCKED, START)
    row = hits.drain(99)[-1]
    assert (row.name, row.count) == (merged, 2)
    assert name_to_text(name_from_text(row.name)) == row.name


def test_names_of_one_client_and_minute_are_bounded():
    """R-D01: who asks for random names fills no store, and takes no room from others."""
    hits = Hits(RecordSettings(names_per_client=3))
    for second in (0, 30):
        for number in range(5):
            count(hits, "192.0.2.1", f"n{number}.example.org", 1, BLOCKED, START + timedelta(seconds=second))
        count(hits, "192.0.2.2", "n9.example.org", 1, BLOCKED, START)
        rows = {(row.client, row.name): row.count for row in hits.drain(99)}  # what was kept stays so after it is taken
        assert rows == {
            **{("192.0.2.1", f"n{number}.example.org"): 1 for number in range(3)},
            ("192.0.2.1", "*.example.org"): 2,
            ("192.0.2.2", "n9.example.org"): 1,
        }
    count(hits, "192.0.2.1", "n4.example.org", 1, BLOCKED, START + timedelta(seconds=60))
    assert [row.name for row in hits.drain(99)] == ["n4.example.org"]


def test_domains_of_one_client_and_minute_are_bounded():
    """R-D01: a list has hundreds of thousands of domains to ask below."""
    hits = Hits(RecordSettings(names_per_client=3))
    for _ in range(2):
        for number in range(10):
            count(hits, "192.0.2.1", f"www.n{number}.example", 1, BLOCKED, START)
        names = [f"www.n{n}.example" for n in range(3)] + [f"*.n{n}.example" for n in range(3, 6)]
        assert {row.name: row.count for row in hits.drain(99)} == {**dict.fromkeys(names, 1), "*": 4}


def test_names_of_all_clients_are_bounded_together():
    """R-D01, R-P04: forged addresses bring one name each."""
    hits = make(max_rows=10)
    for number in range(500):
        count(hits, f"10.0.{number // 250}.{number % 250}", f"n{number}.example.org", 1, BLOCKED, START)
    assert sum(map(len, hits._names.values())) == 10
    assert len(hits._names) == 10


def test_domains_are_bounded_too():
    """R-D01"""
    hits = make(max_rows=100)
    for number in range(1000):
        count(hits, "192.0.2.1", f"www.n{number}.example", 1, BLOCKED, START)
    assert len(hits) == 110
    assert sum(row.count for row in hits.drain(1000)) + hits.take_dropped() == 1000


def test_quick_way_counts_as_the_other_does():
    """R-D01: rows for all below a domain are found by two labels, and only where these are the domain."""
    chance = Random(5)
    quick, plain = (Hits(RecordSettings(queries="all", names_per_client=6), max_rows=60) for _ in range(2))
    second = int(START.timestamp())
    found = []
    for _ in range(4000):
        client = f"192.0.2.{chance.randrange(3)}"
        name = ".".join([
            *chance.choices(("", "n1", "n2", "n3", "n4", "n5"), k=chance.randrange(3)),
            chance.choice("abcdefgh"), chance.choice(("example.org", "co.uk", "gov.in", "lan", "com")),
        ]).strip(".").replace("..", ".")  # fmt: skip
        wire = name_from_text(name)
        verdict, qtype = chance.choice((BLOCKED, MONITORED)), chance.choice((1, 28))
        second += chance.choice((0, 0, 0, 1, -1, 7))
        plain.add(client, wire, qtype, verdict, second)
        quick.add_new(client, wire, name_from_text(".".join(name.split(".")[-2:])), qtype, verdict, second)
        if chance.random() < 0.01:
            rows = plain.drain(chance.randrange(100))
            assert quick.drain(len(rows)) == rows
            found += rows
    assert plain.drain(1000) == quick.drain(1000)
    assert plain.take_dropped() == quick.take_dropped()
    assert {"*.example.org", "*.b.co.uk", "*.a.com", "*"} <= {row.name for row in found}


def test_drain_takes_the_oldest_first_and_each_once():
    hits = make()
    for name in ("a", "b", "c"):
        count(hits, "192.0.2.1", name, 1, BLOCKED, START)
    assert [row.name for row in hits.drain(2)] == ["a", "b"]
    count(hits, "192.0.2.1", "a", 1, BLOCKED, START)
    assert [(row.name, row.count) for row in hits.drain(9)] == [("c", 1), ("a", 1)]
    assert hits.drain(9) == []


def test_clock_that_jumps_back_leaves_rows_that_make_sense():
    """R-D10"""
    hits = make()
    for second in (20, 5, 10):
        count(hits, "192.0.2.1", "a", 1, BLOCKED, START + timedelta(seconds=second))
    count(hits, "192.0.2.1", "a", 1, BLOCKED, START - timedelta(hours=1))
    late, early = hits.drain(9)
    assert (late.first, late.last, late.count) == (int(START.timestamp()) + 5, int(START.timestamp()) + 20, 3)
    assert early.minute == late.minute - 60


async def test_every_query_is_counted_by_its_verdict(make_world):
    world = make_world(
        vendors=[vendor("deepseek", "deepseek.example")],
        policy=["block vendor:deepseek", "monitor domain:example.com"],
        record={"queries": "all"},
    )
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME x.deepseek.example")
    for name in (
        r"A\032b.DeepSeek.example",
        "example.com",
        "www.example.org",
        "localhost",
        "www.example.org",
        "plain.example",
    ):
        await world.ask(name, client="192.0.2.5")
    rows = {row.name: (row.action, row.subject, row.vendor, row.count) for row in world.hits.drain(99)}
    assert rows == {
        r"a\032b.deepseek.example": ("block", "vendor:deepseek", "deepseek", 1),
        "example.com": ("monitor", "domain:example.com", None, 1),
        "www.example.org": ("block", "vendor:deepseek", "deepseek", 2),
        "localhost": ("allow", None, None, 1),
        "plain.example": ("allow", None, None, 1),
    }


async def test_failures_are_counted_with_the_verdict_on_the_name(make_world):
    world = make_world(policy=["monitor domain:example.com"])
    world.upstream.fail("example.com A")
    await world.ask("example.com")
    assert [row.action for row in world.hits.drain(9)] == ["monitor"]


def test_floods_from_many_clients_leave_nothing_but_rows():
    """What makes counting quick is bounded by the rows, too."""
    hits = Hits(RecordSettings(), max_rows=100)
    verdict = Verdict(Action.BLOCK, subject="ai")
    for number in range(5000):
        wire = name_from_text(f"x{number}.ads.example")
        hits.add_new(f"192.0.2.{number}", wire, name_from_text("ads.example"), 1, verdict, 60)
    assert len(hits) == 110
    assert len(hits._merged_rows) <= 110


def test_flood_of_domains_leaves_no_more_than_is_found_quickly():
    hits = Hits(RecordSettings())
    verdict = Verdict(Action.BLOCK, subject="unreviewed")
    for number in range(3 * MAX_MERGED):
        domain = name_from_text(f"d{number}.example")
        hits.add_new("192.0.2.1", b"\1x" + domain, domain, 1, verdict, 60)
        if not number % 1000:
            hits.drain(100_000)
    assert sum(len(merged.tallies) for merged in hits._merged_rows.values()) <= MAX_MERGED
