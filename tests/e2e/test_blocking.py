"""The duties of section R-B, asked of the running server from outside."""

import datetime as dt
import itertools
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.e2e.outside import Datagrams, query, read
from tests.e2e.running import HOST, Server
from tests.e2e.scripted import TRUE_IPV4, TRUE_IPV6

CONFIG = """
[rebinding]
enabled = true
allow = ["home.example"]
[blocking]
explain_to = []
[cache]
max_ttl = 300
"""
BLOCKED = "chat.deepseek.com"
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
MODES = {"127.0.0.11": "nxdomain", "127.0.0.12": "nodata", "127.0.0.13": "refused", "127.0.0.14": "address"}
LISTS = {
    "one": "||shared-list.example^\n||only-one.example^\n@@||lifted-in-one.example^\n||lifted-in-one.example^\n",
    "two": "||lifted-in-one.example^\n||shared-list.example^\n||user-allows.example^\n||xn--bcher-kva-list.example^\n",
}
LOCAL = """
||rewritten.example^$dnsrewrite=192.0.2.77
||alias.example^$dnsrewrite=target.example
||gone.example^$dnsrewrite=NXDOMAIN
|exact.example^
||bücher.example^
"""
PRIVATE = (
    "10.0.0.1", "127.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.1.1", "100.64.0.1", "::1", "fe80::1", "fd00::1",
    "::ffff:10.0.0.1",
)  # fmt: skip


@pytest.fixture(scope="module")
def lists() -> Iterator[str]:
    """A web server with the lists of others; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = LISTS[self.path.strip("/")].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://{HOST}:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def ruled(product, lists, world) -> Iterator[Server]:
    """The server with lists, statements and a group for each way to answer; at the end nothing blocked has left it."""
    (product.data_dir / "lists").mkdir(exist_ok=True)
    (product.data_dir / "lists" / "mine.txt").write_text(LOCAL)
    for name in LISTS:
        product.cli("feeds", "add", f"{lists}/{name}", "--name", name, "--allow-private")
        product.cli("policy", "block", f"feed:{name}")
    product.cli("feeds", "add", "file:mine.txt", "--name", "mine", "--ai")
    product.cli("sync", *LISTS, "mine")
    product.cli("policy", "block", "domain:suffix.example")
    product.cli("policy", "allow", "domain:user-allows.example")
    for source, mode in MODES.items():
        words = ("--ipv4", "192.0.2.200", "--ipv6", "2001:db8::200") if mode == "address" else ()
        product.cli("groups", "add", mode, source, "--mode", mode, *words)
    product.cli("policy", "allow", "vendor:deepseek", "--group", "nodata")
    yield product
    for zone in ("suffix.example", "xn--bcher-kva.example", "rewritten.example", "only-one.example"):
        assert not world.asked(zone), "a blocked name has left the server"


def ask(server: Server, name: str, qtype: str = "A", *, source: str = HOST, tcp: bool = False) -> dns.message.Message:
    message = dns.message.make_query(name, qtype, use_edns=0)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(message, HOST, timeout=5, port=server.port, source=source)


def data(message: dns.message.Message) -> list[str]:
    return [str(item) for rrset in message.answer for item in rrset]


def is_blocked(server: Server, name: str, **options) -> bool:
    return data(ask(server, name, **options)) == ["0.0.0.0"]


def test_ways_to_answer(ruled):
    """R-B01: sinkhole address by family, NXDOMAIN, NODATA, REFUSED; the same over UDP and TCP."""
    name = "x.suffix.example"
    for tcp in (False, True):
        assert data(ask(ruled, name, tcp=tcp)) == ["0.0.0.0"]
        assert data(ask(ruled, name, "AAAA", tcp=tcp)) == ["::"]
        assert data(ask(ruled, name, source="127.0.0.14", tcp=tcp)) == ["192.0.2.200"]
        assert data(ask(ruled, name, "AAAA", source="127.0.0.14", tcp=tcp)) == ["2001:db8::200"]
        for source, code in (("127.0.0.11", NXDOMAIN), ("127.0.0.12", NOERROR), ("127.0.0.13", REFUSED)):
            for qtype in ("A", "AAAA", "TXT"):
                got = ask(ruled, name, qtype, source=source, tcp=tcp)
                assert (got.rcode(), got.answer) == (code, [])


def test_no_type_or_class_of_a_blocked_name_leaves(ruled, world):
    """R-B02: all types; the upstream has seen none of them."""
    with Datagrams(ruled.port) as udp:
        for qtype in (*range(1, 130), 249, 250, 251, 252, 253, 254, 255, 256, 257, 32768, 65280, 65535):
            for rdclass in (b"\0\1", b"\0\3", b"\0\xff"):
                wire = query("types.suffix.example")[:-4] + qtype.to_bytes(2, "big") + rdclass
                assert udp.ask(wire) is not None
    assert not world.asked("suffix.example")


def test_service_records_of_a_blocked_name(ruled):
    """R-B03: HTTPS and SVCB: NODATA with SOA, no hints."""
    for qtype in ("HTTPS", "SVCB"):
        got = ask(ruled, "x.suffix.example", qtype)
        assert (got.rcode(), got.answer, len(got.authority)) == (NOERROR, [], 1)


def test_rules_match_at_label_borders(ruled):
    """R-B04: suffix: the name and all below, no look-alike; exact: the name alone."""
    for name in ("suffix.example", "a.suffix.example", "a.b.c.suffix.example", "exact.example"):
        assert is_blocked(ruled, name), name
    for name in ("notsuffix.example", "x-suffix.example", "suffix.example.org", "suffix.examples", "www.exact.example"):
        assert not is_blocked(ruled, name), name


def test_case_final_dot_and_idn(ruled):
    """R-B05: case and final dot do not matter; an IDN rule matches its A-label."""
    for name in ("SUFFIX.Example", "suffix.example.", "xn--bcher-kva.example", "www.XN--BCHER-kva.example"):
        assert is_blocked(ruled, name), name


def test_cloaked_names(ruled, world):
    """R-B06: 1 and 5 hops, from network and cache, over UDP and TCP, every type, NODATA too; the chain is not shown."""
    for hops in (1, 5):
        names = [f"n{n}.cloak{hops}.example" for n in range(hops)] + ["tracker.suffix.example"]
        for qtype, end in (("A", "A 192.0.2.66"), ("AAAA", "AAAA 2001:db8::66"), ("TXT", ""), ("MX", "")):
            name = f"{qtype.lower()}.{names[0]}"
            links = [f"{a}. 300 IN CNAME {b}." for a, b in itertools.pairwise([name, *names[1:]])]
            ends = [f"{names[-1]}. 300 IN {end}"] if end else []
            soa = "suffix.example. 300 IN SOA ns.suffix.example. x.example. 1 2 3 4 60"
            world.say(name, *links, *ends, authority=[] if end else [soa])
            for tcp in (False, True, False, True):
                got = ask(ruled, name, qtype, tcp=tcp)
                assert data(got) in ([["0.0.0.0"], ["::"]] if end else [[]]), (name, qtype)
                assert "CNAME" not in got.to_text()
                assert "tracker" not in got.to_text()
                assert "66" not in " ".join(data(got))


def test_service_alias_to_a_blocked_name(ruled, world):
    """R-B07: AliasMode and TargetName are treated like a CNAME."""
    for priority in (0, 1):
        name = f"svc{priority}.example"
        world.say(name, f"{name}. 300 IN HTTPS {priority} edge.suffix.example.")
        assert ask(ruled, name, "HTTPS").answer == []


def test_exceptions(ruled):
    """R-B08: the user's allow beats every feed; a feed's exception beats that feed alone."""
    assert not is_blocked(ruled, "user-allows.example")
    assert is_blocked(ruled, "lifted-in-one.example")
    assert is_blocked(ruled, "shared-list.example")
    ruled.cli("policy", "remove", "feed:two")
    assert not is_blocked(ruled, "lifted-in-one.example")
    assert is_blocked(ruled, "shared-list.example")
    ruled.cli("policy", "block", "feed:two")
    assert is_blocked(ruled, "lifted-in-one.example")


def test_priority_does_not_depend_on_order(ruled):
    """R-B09: domain over vendor over all, whatever was said first."""
    said = [("allow", "domain:www.{}.example"), ("block", "domain:{}.example")]
    for name, order in (("first", said), ("second", said[::-1])):
        for action, subject in order:
            ruled.cli("policy", action, subject.format(name))
        assert not is_blocked(ruled, f"www.{name}.example")
        assert is_blocked(ruled, f"mail.{name}.example")


def test_form_of_blocked_answers(ruled):
    """R-B10: RA=1, AD=0, the question's owner, TTL 1 to 300, SOA on negative ones."""
    for source in (HOST, *MODES):
        for qtype in ("A", "MX"):
            message = dns.message.make_query("Form.Suffix.example", qtype, flags=dns.flags.RD | dns.flags.AD)
            got = dns.query.udp(message, HOST, timeout=5, port=ruled.port, source=source)
            assert got.flags & dns.flags.RA
            assert not got.flags & dns.flags.AD
            for rrset in got.answer:
                assert rrset.name == message.question[0].name
            for rrset in got.answer + got.authority:
                assert 1 <= rrset.ttl <= 300
            if not got.answer and got.rcode() != REFUSED:
                assert dns.rdatatype.to_text(got.authority[0].rdtype) == "SOA"


def test_extended_error_names_the_reason_only(ruled):
    """R-B11: 15, 16 or 17, a short text, no path and no client."""
    for name in ("x.suffix.example", BLOCKED, "shared-list.example"):
        (option,) = ask(ruled, name).options
        assert int(option.code) in (15, 16, 17)
        assert 0 < len(option.text) < 80
        assert "/" not in option.text
        assert HOST not in option.text
    assert "deepseek" in ask(ruled, BLOCKED).options[0].text
    message = dns.message.make_query(BLOCKED, "A", use_edns=-1)
    assert not dns.query.udp(message, HOST, timeout=5, port=ruled.port).options


def test_policy_by_client(ruled):
    """R-B12: the group of the source decides; an unknown client gets the default."""
    assert not is_blocked(ruled, BLOCKED, source="127.0.0.12")
    for source in (HOST, "127.0.0.99", "127.1.2.3"):
        assert is_blocked(ruled, BLOCKED, source=source)
    ruled.cli("groups", "add", "wide", "127.0.3.0/24")
    ruled.cli("groups", "add", "narrow", "127.0.3.50/32")
    ruled.cli("policy", "allow", "vendor:deepseek", "--group", "wide")
    ruled.cli("policy", "block", "vendor:deepseek", "--group", "narrow")
    assert not is_blocked(ruled, BLOCKED, source="127.0.3.99")
    assert is_blocked(ruled, BLOCKED, source="127.0.3.50")
    assert is_blocked(ruled, BLOCKED, source="127.1.2.3")


def local_now() -> dt.datetime:
    """What the clock on the wall says, as the command line reads it."""
    return dt.datetime.now().astimezone().replace(tzinfo=None)


def test_pause_ends_by_itself(ruled):
    """R-B13: a statement with an end, for one group: allowed until then, blocked after; listed meanwhile."""
    ruled.cli("groups", "add", "paused", "127.0.0.60")
    until = local_now().replace(microsecond=0) + dt.timedelta(seconds=8)
    ruled.cli("policy", "allow", "vendor:deepseek", "--group", "paused", "--until", until.isoformat())
    assert "paused" in ruled.cli("policy", "list").stdout
    if local_now() < until - dt.timedelta(seconds=0.5):
        assert not is_blocked(ruled, BLOCKED, source="127.0.0.60")
        assert is_blocked(ruled, BLOCKED)
    deadline = time.monotonic() + 12
    while not is_blocked(ruled, BLOCKED, source="127.0.0.60"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert local_now() >= until - dt.timedelta(seconds=0.1)


def test_special_names_stay_inside(ruled, world):
    """R-B15: RFC 6761, 6303, 7686, 8375, 9462, 9476: the upstream sees none."""
    before = len(world.seen)
    expected = {
        "localhost": NOERROR, "a.localhost": NOERROR, "x.invalid": NXDOMAIN, "x.onion": NXDOMAIN, "x.test": NXDOMAIN,
        "printer.local": NXDOMAIN, "x.home.arpa": NXDOMAIN, "x.alt": NXDOMAIN, "1.1.168.192.in-addr.arpa": NXDOMAIN,
        "4.3.2.10.in-addr.arpa": NXDOMAIN, "1.20.172.in-addr.arpa": NXDOMAIN, "1.0.0.127.in-addr.arpa": NOERROR,
        "8.e.f.ip6.arpa": NOERROR, "1.d.f.ip6.arpa": NXDOMAIN, "_dns.resolver.arpa": NOERROR,
        "254.169.in-addr.arpa": NOERROR,
    }  # fmt: skip
    for name, code in expected.items():
        for qtype in ("A", "PTR", "TXT"):
            assert ask(ruled, name, qtype).rcode() == code, name
    assert data(ask(ruled, "localhost")) == ["127.0.0.1"]
    assert data(ask(ruled, "A.LocalHost", "AAAA")) == ["::1"]
    assert len(world.seen) == before


def test_canaries(ruled, world):
    """R-B16: use-application-dns.net and the Private Relay names are denied."""
    for name in ("use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com"):
        got = ask(ruled, name)
        assert (got.rcode() == NXDOMAIN) or (got.rcode() == NOERROR and not got.answer)
        assert not world.asked(name)


@pytest.mark.parametrize("address", PRIVATE)
def test_rebinding(ruled, world, address):
    """R-B17: private answers of public names are taken out, from the cache too, but not of names that may."""
    qtype = "AAAA" if ":" in address else "A"
    for zone, is_kept in (("attacker.example", False), ("home.example", True)):
        name = f"n{address.replace(':', '-').replace('.', '-')}.{zone}"
        world.say(name, f"{name}. 300 IN {qtype} {address}")
        for tcp in (False, False, True):
            got = ask(ruled, name, qtype, tcp=tcp)
            assert got.rcode() == NOERROR
            assert bool(got.answer) is is_kept


def processor_seconds(pid: int) -> float:
    with Path(f"/proc/{pid}/stat").open() as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_blocked_answers_are_cheap_and_never_wait_for_the_store(ruled):
    """R-B18: under 1 ms of processor each, all names different, while the database is locked."""
    worker = ruled.pids()["worker-0"]
    locked = sqlite3.connect(next(ruled.data_dir.glob("*.db")), isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    try:
        with Datagrams(ruled.port) as udp:
            before, longest = processor_seconds(worker), 0.0
            for n in range(3000):
                began = time.monotonic()
                assert udp.ask(query(f"n{n}.suffix.example", number=n)) is not None
                longest = max(longest, time.monotonic() - began)
            assert processor_seconds(worker) - before < 3.0
            assert longest < 0.5
    finally:
        locked.execute("ROLLBACK")
        locked.close()


def test_answers_under_load_are_right(ruled):
    """R-B19: 200 at once, blocked, allowed, local and lists mixed, over UDP and TCP: none wrong."""
    expected = {
        ("load.suffix.example", "A"): ["0.0.0.0"], ("load.suffix.example", "AAAA"): ["::"], (BLOCKED, "A"): ["0.0.0.0"],
        ("free.example", "A"): [TRUE_IPV4], ("free.example", "AAAA"): [TRUE_IPV6], ("localhost", "A"): ["127.0.0.1"],
        ("shared-list.example", "A"): ["0.0.0.0"], ("www.exact.example", "A"): [TRUE_IPV4],
    }  # fmt: skip
    chance = random.Random(3)
    questions = [chance.choice(list(expected)) for _ in range(2000)]

    def check(question) -> bool:
        name, qtype = question
        return data(ask(ruled, name, qtype, tcp=hash(question) % 7 == 0)) == expected[question]

    with ThreadPoolExecutor(32) as threads:
        assert all(threads.map(check, questions))


def test_rewrites_of_own_lists(ruled, world):
    """R-L06: what a local list rewrites is answered: records, an alias, a response code."""
    assert data(ask(ruled, "rewritten.example")) == ["192.0.2.77"]
    assert data(ask(ruled, "sub.rewritten.example")) == ["192.0.2.77"]
    assert data(ask(ruled, "rewritten.example", "AAAA")) == []
    world.say("target.example", "target.example. 300 IN A 192.0.2.78")
    assert data(ask(ruled, "alias.example")) == ["target.example.", "192.0.2.78"]
    assert data(ask(ruled, "alias.example", tcp=True)) == ["target.example.", "192.0.2.78"]
    assert ask(ruled, "gone.example").rcode() == NXDOMAIN
    assert ruled.cli("check", "rewritten.example").stdout.strip().endswith("BLOCK")


def test_queries_without_rd(ruled, world):
    """RFC 1034, section 4.3.1: what is ours is answered, nothing else is looked for."""
    with Datagrams(ruled.port) as udp:
        without = partial(query, flags=0)
        assert data(read(udp.ask(without("x.suffix.example")))) == ["0.0.0.0"]
        assert data(read(udp.ask(without("localhost")))) == ["127.0.0.1"]
        assert read(udp.ask(without("recursive.example"))).rcode() == REFUSED
    assert not world.asked("recursive.example")
