"""What an allowed name leads to, asked of the running server from outside: the upstream answers exactly that."""

import itertools
from collections.abc import Iterator

import dns.flags
import dns.message
import pytest

from tests.e2e.running import Server, rcode_of, running
from tests.e2e.scripted import SOA, type_of
from tests.fakes import reply

CONFIG = """
[rebinding]
enabled = true
allow = ["home.example"]
"""
ZONE = """
$ORIGIN rpz.test.
@ SOA localhost. root.localhost. 1 3600 600 86400 300
24.0.113.0.203.rpz-ip CNAME .
32.9.113.0.203.rpz-ip CNAME rpz-passthru.
48.zz.113.db8.2001.rpz-ip CNAME *.
passed.example CNAME rpz-passthru.
"""
ECH = "ech=AAj+DQAEAQIDBA=="
BLOCKED = "tracker.blocked.example"


@pytest.fixture(scope="module")
def ruled(product) -> Iterator[Server]:
    """The server with a policy zone and statements on a domain and a network."""
    (product.data_dir / "lists").mkdir(exist_ok=True)
    (product.data_dir / "lists" / "zone.rpz").write_text(ZONE)
    product.cli("feeds", "add", "file:zone.rpz", "--name", "zone", "--format", "rpz")
    product.cli("sync", "zone")
    product.cli("policy", "block", "feed:zone")
    product.cli("policy", "block", "domain:blocked.example")
    product.cli("policy", "block", "address:198.51.100.0/24")
    return product


def data(message: dns.message.Message) -> list[str]:
    return [item.to_text() for rrset in message.answer for item in rrset]


def is_blocked(server: Server, name: str, qtype: str = "A") -> bool:
    """Ask twice, the second time from the cache, over both transports."""
    found = {
        not got.answer or data(got) in (["0.0.0.0"], ["::"])
        for got in (server.ask(name, qtype, tcp=tcp) for tcp in (False, False, True))
    }
    (blocked,) = found
    return blocked


@pytest.mark.parametrize("place", range(1, 4))
def test_owner_names_of_a_chain(ruled, world, place):
    """R-B06: the blocked name first, in the middle and last."""
    names = [f"chain{place}.example", "a.example", "b.example", "c.example"]
    names[place] = BLOCKED
    links = [f"{a}. 300 IN CNAME {b}." for a, b in itertools.pairwise(names)]
    world.say(names[0], *links, f"{names[-1]}. 300 IN A 192.0.2.66")
    assert is_blocked(ruled, names[0])


def test_chain_that_the_upstream_leaves_open(ruled, world):
    """R-B02, R-B06: the next link is judged before it is asked for."""
    world.say("open.example", f"open.example. 300 IN CNAME {BLOCKED}.")
    assert is_blocked(ruled, "open.example")
    assert not world.asked("blocked.example")


def test_dname(ruled, world):
    """RFC 6672: what it makes of the name, and the name it leads to."""
    world.say(
        "www.moved.example", "moved.example. 300 IN DNAME blocked.example.",
        "www.moved.example. 300 IN CNAME www.blocked.example.", "www.blocked.example. 300 IN A 192.0.2.66",
    )  # fmt: skip
    assert is_blocked(ruled, "www.moved.example")
    world.say("www.away.example", "away.example. 300 IN DNAME fine.example.", "www.fine.example. 300 IN A 192.0.2.66")
    assert not is_blocked(ruled, "www.away.example")


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
@pytest.mark.parametrize("priority", [0, 1])
def test_service_targets_and_alias_mode(ruled, world, qtype, priority):
    """RFC 9460, sections 2.4.2 and 2.4.3."""
    name = f"{qtype.lower()}{priority}.example"
    world.say(name, f"{name}. 300 IN {qtype} {priority} {BLOCKED}.")
    assert is_blocked(ruled, name, qtype)
    world.say(f"fine-{name}", f"fine-{name}. 300 IN {qtype} {priority} edge.fine.example.")
    assert not is_blocked(ruled, f"fine-{name}", qtype)


@pytest.mark.parametrize(
    ("label", "qtype", "answer", "blocked"),
    [
        ("a1", "A", "198.51.100.7", True),
        ("a2", "A", "203.0.113.7", True),
        ("a3", "A", "203.0.113.9", False),
        ("a4", "A", "203.0.114.7", False),
        ("a5", "AAAA", "2001:db8:113::7", True),
        ("a6", "AAAA", "2001:db8:114::7", False),
        ("h1", "HTTPS", "1 . ipv4hint=198.51.100.7", True),
        ("h2", "HTTPS", "1 . ipv4hint=192.0.2.1,203.0.113.7", True),
        ("h3", "HTTPS", "1 . ipv6hint=2001:db8:113::7", True),
        ("h4", "SVCB", "1 . ipv6hint=2001:db8:113::7", True),
        ("h5", "HTTPS", "1 . ipv4hint=203.0.113.9 ipv6hint=2001:db8:114::7", False),
    ],
)
def test_addresses_and_hints(ruled, world, label, qtype, answer, blocked):
    """By statements on addresses and by rows of policy zones, the longest prefix first."""
    name = f"{label}.addresses.example"
    world.say(name, f"{name}. 300 IN {qtype} {answer}")
    assert is_blocked(ruled, name, qtype) is blocked


def test_zone_lets_a_name_through_with_its_addresses(ruled, world):
    world.say("passed.example", "passed.example. 300 IN A 203.0.113.7")
    assert not is_blocked(ruled, "passed.example")


def test_policy_zone_is_explained_by_check(ruled, world):
    world.say("checked.example", "checked.example. 300 IN A 203.0.113.7")
    said = ruled.cli("check", "checked.example").stdout
    assert "decided by  feed:zone block for all" in said
    assert "through     203.0.113.7, which its answer leads to" in said
    assert "feed        zone, line 4" in said
    assert "rule        203.0.113.0/24" in said


def test_private_addresses_with_and_without_exception(ruled, world):
    """R-B17."""
    for name, is_kept in (("rebound.example", False), ("nas.home.example", True)):
        world.say(name, f"{name}. 300 IN A 192.168.1.1")
        assert bool(ruled.ask(name).answer) is is_kept
        world.say(f"svc.{name}", f"svc.{name}. 300 IN HTTPS 1 . ipv4hint=192.168.1.1")
        assert bool(ruled.ask(f"svc.{name}", "HTTPS").answer) is is_kept


def test_chains_that_loop(ruled, world):
    """RFC 1034, section 3.6.2: in one answer, from answer to answer, and onto itself."""
    links = ["loop.example. 300 IN CNAME b.loop.example.", "b.loop.example. 300 IN CNAME loop.example."]
    world.say("loop.example", *links)
    world.say("one.example", "one.example. 300 IN CNAME two.example.")
    world.say("two.example", "two.example. 300 IN CNAME one.example.")
    world.say("self.example", "self.example. 300 IN CNAME self.example.")
    for name in ("loop.example", "one.example", "self.example"):
        assert rcode_of(ruled.ask(name)) == "SERVFAIL"


def signed(wire: bytes):
    if type_of(wire) != "HTTPS":
        return [(0, reply(wire, authority=[SOA]))]
    name = dns.message.from_wire(wire).question[0].name
    signature = "RRSIG HTTPS 13 2 300 20300101000000 20200101000000 1 example. AAAA"
    return [(0, reply(wire, f"{name} 300 IN HTTPS 1 . mandatory=ech alpn=h2 {ECH}", f"{name} 300 IN {signature}"))]


def test_keys_of_encrypted_hello_are_left_alone(ruled, world):
    world.script("ech.example", signed)
    got = ruled.ask("ech.example", "HTTPS", want_dnssec=True)
    assert "ech=" in got.to_text()
    assert "RRSIG" in got.to_text()


def test_keys_of_encrypted_hello_are_taken_out(tmp_path, world):
    """The parameter, the mention of it, the signature and AD; under DO too, and from the cache."""
    world.script("stripped.example", signed)
    config = tmp_path / "sinkhole.toml"
    config.write_text("[inspection]\nstrip_ech = true\n[upstream]\ntrust_ad = true\n")
    with running(tmp_path / "data", "--config", config, upstream=world.port) as server:
        for tcp in (False, False, True):
            got = server.ask("stripped.example", "HTTPS", want_dnssec=True, tcp=tcp)
            assert data(got) == ['1 . alpn="h2"']
            assert not got.flags & dns.flags.AD
        assert len(world.asked("stripped.example")) == 1
