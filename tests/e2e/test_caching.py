"""The duties of section R-C that the cache has, asked of the running server from outside."""

import itertools
import struct
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.e2e.outside import Datagrams, Stream, query, rcode, read, resident_kib
from tests.e2e.running import running
from tests.e2e.scripted import TRUE_IPV4
from tests.fakes import reply

CONFIG = """
[upstream]
timeout = 0.6
[cache]
stale_after = 0.5
failure_ttl = 1.0
"""
NOERROR, FORMERR, SERVFAIL, NXDOMAIN = range(4)
SOA = "{}. {} IN SOA ns.example. admin.example. 1 3600 600 86400 {}"


@pytest.fixture
def udp(product):
    with Datagrams(product.port) as found:
        yield found


def lines(message: dns.message.Message, section: str = "answer") -> list[str]:
    return [
        f"{rrset.name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(rrset.rdtype)} {item}"
        for rrset in getattr(message, section)
        for item in rrset
    ]


def test_records_that_do_not_answer_are_not_kept(udp, world):
    """R-C06: what an upstream adds about a victim, in any section, is neither passed on nor kept."""
    poison = "victim.poison.example. 300 IN A 203.0.113.66"
    delegation = "poison.example. 300 IN NS victim.poison.example."
    world.say("a.poison.example", "a.poison.example. 300 IN A 192.0.2.1", poison,
              authority=[delegation, poison], additional=[poison])  # fmt: skip
    got = read(udp.ask(query("a.poison.example")))
    assert lines(got) == ["a.poison.example A 192.0.2.1"]
    assert "203.0.113.66" not in got.to_text()
    assert lines(read(udp.ask(query("victim.poison.example")))) == [f"victim.poison.example A {TRUE_IPV4}"]


@pytest.mark.parametrize(
    ("ttl", "shown"), [(0, 0), (1, 1), (300, 300), (2**31 - 1, 604_800), (2**31 + 5, 0), (2**32 - 1, 0)]
)
def test_ttls(udp, world, ttl, shown):
    """R-C14: capped at seven days, the top bit means 0, and 0 is not used again."""
    name = f"n{ttl}.ttls.example"

    def handle(wire):
        data = bytearray(reply(wire, f"{name}. 300 IN A 192.0.2.1"))
        at = data.index(b"\x00\x00\x01\x2c")
        data[at : at + 4] = struct.pack("!I", ttl)
        return [(0, bytes(data))]

    world.script(name, handle)
    for _ in range(2):
        found = read(udp.ask(query(name))).answer[0].ttl
        assert found == shown or (ttl == 2**31 - 1 and 0 < found <= shown)
    assert len(world.asked(name)) == (2 if shown == 0 else 1)


def test_ttls_age_and_no_record_outlives_its_own(udp, world):
    """R-C14: a mixed chain ends with its shortest record, and all TTLs count down."""
    mixed = ["mixed.example. 300 IN CNAME end.mixed.example.", "end.mixed.example. 2 IN A 192.0.2.1"]
    world.say("mixed.example", *mixed)
    first = read(udp.ask(query("mixed.example")))
    assert [rrset.ttl for rrset in first.answer] == [300, 2]
    time.sleep(1.1)
    aged = read(udp.ask(query("mixed.example")))
    assert [rrset.ttl for rrset in aged.answer] == [299, 1]
    assert len(world.asked("mixed.example")) == 1
    time.sleep(1.2)
    assert [rrset.ttl for rrset in read(udp.ask(query("mixed.example"))).answer] == [300, 2]
    assert len(world.asked("mixed.example")) == 2


def test_negative_answers(udp, world):
    """R-C15: kept for min(TTL, MINIMUM) of the SOA, which is sent on; without SOA not kept."""
    for kind, code in (("nodata", "NOERROR"), ("nxdomain", "NXDOMAIN")):
        for ttl, minimum in ((300, 60), (60, 300)):
            name = f"{kind}{ttl}.negative.example"
            world.say(name, rcode=code, authority=[SOA.format("negative.example", ttl, minimum)])
            for _ in range(3):
                got = read(udp.ask(query(name)))
                assert dns.rcode.to_text(got.rcode()) == code
                assert got.authority[0].rdtype == dns.rdatatype.SOA
                assert 58 <= got.authority[0].ttl <= 60
            assert len(world.asked(name)) == 1
        bare = f"{kind}bare.negative.example"
        world.say(bare, rcode=code)
        for _ in range(2):
            assert dns.rcode.to_text(read(udp.ask(query(bare))).rcode()) == code
        assert len(world.asked(bare)) == 2


def test_types_and_chains_of_negative_answers(udp, world):
    """R-C16: NODATA of AAAA hides no A; NXDOMAIN behind a CNAME keeps chain and response code (RFC 6604)."""
    world.say_by_type("types.example", A="types.example. 300 IN A 192.0.2.1")
    assert read(udp.ask(query("types.example", "AAAA"))).answer == []
    assert lines(read(udp.ask(query("types.example")))) == ["types.example A 192.0.2.1"]
    assert read(udp.ask(query("types.example", "AAAA"))).answer == []
    world.say("nowhere.example", "nowhere.example. 300 IN CNAME gone.nowhere.example.", rcode="NXDOMAIN",
              authority=[SOA.format("nowhere.example", 300, 60)])  # fmt: skip
    for _ in range(2):
        got = read(udp.ask(query("nowhere.example")))
        assert (got.rcode(), lines(got)) == (NXDOMAIN, ["nowhere.example CNAME gone.nowhere.example."])


def test_failures_are_kept_for_seconds(udp, world):
    """R-C17: a dead domain does not hammer upstreams, and is found again soon."""
    world.say("fails.example", rcode="SERVFAIL")
    for _ in range(10):
        assert rcode(udp.ask(query("fails.example"))) == SERVFAIL
    assert len(world.asked("fails.example")) <= 3
    world.say("fails.example", "fails.example. 300 IN A 192.0.2.1")
    time.sleep(1.2)
    assert rcode(udp.ask(query("fails.example"))) == NOERROR


def test_cache_is_shared_over_transports_and_keyed_rightly(udp, product, world):
    """R-C18: filled over TCP, read over UDP and back; case does not matter, DO and CD do."""
    fat = "shared.caching.example. 300 IN TXT " + " ".join(['"' + "x" * 200 + '"'] * 12)
    world.say("shared.caching.example", fat)
    with Stream(product.port) as tcp:
        assert len(tcp.ask(query("shared.caching.example", "TXT"))) > 2400
        assert read(udp.ask(query("Shared.Caching.EXAMPLE", "TXT"))).flags & dns.flags.TC
        assert len(tcp.ask(query("shared.caching.example", "TXT", use_edns=0, payload=512))) > 2400
        udp.ask(query("back.caching.example"))
        assert read(tcp.ask(query("BACK.caching.example"))).question[0].name.to_text() == "BACK.caching.example."
    assert len(world.asked("shared.caching.example")) == 1
    assert len(world.asked("back.caching.example")) == 1
    for options in ({"use_edns": 0, "want_dnssec": True}, {"flags": dns.flags.RD | dns.flags.CD}, {}):
        udp.ask(query("keyed.caching.example", **options))
        udp.ask(query("keyed.caching.example", **options))
    assert len(world.asked("keyed.caching.example")) == 3


def test_cache_is_bounded(tmp_path, world):
    """R-C19: unique names do not push memory without limit (test_flood has 100k), and the newest is still there."""
    config = tmp_path / "c.toml"
    config.write_text("[cache]\nentries = 500\nmax_bytes = 800000\n")
    with running(tmp_path / "data", "--config", config, upstream=world.port) as server, Datagrams(server.port) as udp:
        worker = server.pids()["worker-0"]

        def flood(first: int, count: int) -> None:
            for start in range(first, first + count, 100):
                for n in range(start, start + 100):
                    udp.send(query(f"n{n}.unique.example", number=n % 60_000))
                for _ in range(100):
                    assert udp.receive() is not None

        flood(0, 2_000)
        before = resident_kib(worker)
        flood(2_000, 4_000)
        assert resident_kib(worker) - before < 4_000
        asked = len(world.asked("n5999.unique.example"))
        udp.ask(query("n5999.unique.example"))
        assert len(world.asked("n5999.unique.example")) == asked


def test_stale_answers(product, world):
    """R-C20: only after a failed refresh, TTL at most 30, EDE 3; never for a name blocked since."""
    for name in ("stale.example", "forbidden.example"):
        world.say(name, f"{name}. 1 IN A 192.0.2.1")
        assert product.addresses(name) == ["192.0.2.1"]
    time.sleep(1.2)
    world.say("stale.example", "stale.example. 1 IN A 192.0.2.2")
    assert product.addresses("stale.example") == ["192.0.2.2"]
    time.sleep(1.2)
    for name in ("stale.example", "forbidden.example"):
        world.script(name, lambda wire: None)
    got = product.ask("stale.example", use_edns=0)
    assert lines(got) == ["stale.example A 192.0.2.2"]
    assert got.answer[0].ttl <= 30
    assert [int(option.code) for option in got.options] == [3]
    product.cli("policy", "block", "domain:forbidden.example")
    assert product.addresses("forbidden.example") == ["0.0.0.0"]
    product.cli("policy", "remove", "domain:forbidden.example")


def test_new_rules_judge_what_is_cached(product, world):
    """R-C21: resolve, block, ask again; for chains too, over UDP and TCP; and free again at once."""
    world.say(
        "cached.example", "cached.example. 300 IN CNAME real.hidden.example.", "real.hidden.example. 300 IN A 192.0.2.1"
    )
    for tcp in (False, True):
        assert product.addresses("cached.example", tcp=tcp)[-1] == "real.hidden.example."
    for subject in ("domain:cached.example", "domain:hidden.example"):
        product.cli("policy", "block", subject)
        for tcp in (False, True):
            got = product.ask("cached.example", tcp=tcp)
            assert lines(got) == ["cached.example A 0.0.0.0"]
        product.cli("policy", "remove", subject)
        for tcp in (False, True):
            assert len(product.addresses("cached.example", tcp=tcp)) == 2
    assert len(world.asked("cached.example")) == 1


def test_chains(udp, world):
    """R-C22: complete and in order, in one answer or a link at a time; too long or looping is SERVFAIL."""
    for links, code in ((1, NOERROR), (8, NOERROR), (16, NOERROR), (17, SERVFAIL), (30, SERVFAIL)):
        names = [f"n{n}.c{links}.chains.example" for n in range(links + 1)]
        chain = [f"{a}. 300 IN CNAME {b}." for a, b in itertools.pairwise(names)]
        world.say(names[0], f"{names[-1]}. 300 IN A 192.0.2.1", *reversed(chain))
        got = read(udp.ask(query(names[0], use_edns=0)))
        if got.flags & dns.flags.TC:
            continue
        assert got.rcode() == code, links
        if code == NOERROR:
            assert lines(got) == [f"{a} CNAME {b}." for a, b in itertools.pairwise(names)] + [
                f"{names[-1]} A 192.0.2.1"
            ]
    for links, code in ((1, NOERROR), (8, NOERROR), (30, SERVFAIL)):
        names = [f"n{n}.s{links}.chains.example" for n in range(links + 1)]
        for a, b in itertools.pairwise(names):
            world.say(a, f"{a}. 300 IN CNAME {b}.")
        got = read(udp.ask(query(names[0], use_edns=0), timeout=10))
        assert got.rcode() == code, links
        assert len(got.answer) == (links + 1 if code == NOERROR else 0)
    world.say("loop.example", "loop.example. 300 IN CNAME loop.example.")
    world.say(
        "pool.example", "pool.example. 300 IN CNAME b.pool.example.", "b.pool.example. 300 IN CNAME pool.example."
    )
    world.say("x.example", "x.example. 300 IN CNAME y.x.example.")
    world.say("y.x.example", "y.x.example. 300 IN CNAME x.example.")
    for name in ("loop.example", "pool.example", "x.example"):
        assert rcode(udp.ask(query(name), timeout=10)) == SERVFAIL
