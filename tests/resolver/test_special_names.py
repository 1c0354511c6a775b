import pytest

from sinkhole.resolver.special_names import (
    _ENDINGS,
    EMPTY_ZONES,
    LOCALHOST,
    NOTHING,
    RESOLVER_ARPA,
    REVERSE_ZONES,
)
from tests.resolver.world import lines_of

APEX = {"home.arpa", *(zone.rstrip(".") for zone in REVERSE_ZONES)}


@pytest.mark.parametrize(
    "name",
    [
        "invalid", "x.invalid", "test", "a.b.test", "onion", "facebookcorewwwi.onion", "local", "printer.local", "alt",
        "x.alt", "nas.home.arpa", "1.0.168.192.in-addr.arpa", "4.3.2.10.in-addr.arpa", "1.31.172.in-addr.arpa",
        "1.0.0.100.51.198.in-addr.arpa", "1.127.100.in-addr.arpa", "5.254.169.in-addr.arpa", "x.d.f.ip6.arpa",
        "x.8.b.d.0.1.0.0.2.ip6.arpa", "x.b.e.f.ip6.arpa", "2.0.0.127.in-addr.arpa",
    ],
)  # fmt: skip
@pytest.mark.parametrize("qtype", ["A", "PTR", "HTTPS"])
async def test_names_that_do_not_exist_are_denied_here(make_world, name, qtype):
    """R-B15: RFC 6761, 6762, 6303, 7686, 7793, 8375, 9476."""
    world = make_world()
    reply = await world.ask(f"{name} {qtype}")
    assert (reply.rcode(), len(reply.authority), world.upstream.asked) == (3, 1, [])


@pytest.mark.parametrize("zone", sorted(APEX))
async def test_locally_served_zones_have_an_apex(make_world, zone):
    """R-B15: RFC 6303, section 3."""
    world = make_world()
    assert lines_of((await world.ask(f"{zone} SOA")).answer)[0].startswith(f"{zone} 10800 SOA")
    assert lines_of((await world.ask(f"{zone} NS")).answer) == [f"{zone} 10800 NS {zone}."]
    reply = await world.ask(f"{zone} A")
    assert (reply.rcode(), reply.answer, reply.authority[0].ttl) == (0, [], 10_800)
    assert world.upstream.asked == []


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "a.b.localhost"])
async def test_localhost_is_the_loopback(make_world, name):
    """R-B15: RFC 6761, section 6.3."""
    world = make_world()
    assert lines_of((await world.ask(f"{name} A")).answer) == [f"{name} 10800 A 127.0.0.1"]
    assert lines_of((await world.ask(f"{name} AAAA")).answer) == [f"{name} 10800 AAAA ::1"]
    reply = await world.ask(f"{name} MX")
    assert (reply.rcode(), len(reply.authority), world.upstream.asked) == (0, 1, [])


async def test_loopback_address_is_localhost(make_world):
    world = make_world()
    assert lines_of((await world.ask("1.0.0.127.in-addr.arpa PTR")).answer)[0].endswith("PTR localhost.")
    reply = await world.ask("1.0.0.127.in-addr.arpa A")
    assert (reply.rcode(), reply.answer) == (0, [])


@pytest.mark.parametrize("name", ["resolver.arpa", "_dns.resolver.arpa"])
@pytest.mark.parametrize("qtype", ["SVCB", "A"])
async def test_no_encrypted_resolver_is_advertised(make_world, name, qtype):
    """R-B15, R-T20: RFC 9462, section 6.4."""
    world = make_world()
    reply = await world.ask(f"{name} {qtype}")
    assert (reply.rcode(), reply.answer, len(reply.authority), world.upstream.asked) == (0, [], 1, [])


@pytest.mark.parametrize(
    "name", ["example", "localhost.example", "mytest", "in-addr.arpa", "8.8.8.8.in-addr.arpa", "128.100.in-addr.arpa",
             "15.172.in-addr.arpa", "32.172.in-addr.arpa", "arpa", "ip6.arpa", "f.ip6.arpa", "c.f.ip6.arpa"],
)  # fmt: skip
async def test_neighbours_of_special_names_are_not_special(make_world, name):
    world = make_world()
    await world.ask(f"{name} A")
    assert len(world.upstream.asked) == 1


async def test_ds_of_home_arpa_is_asked_upstream_for_validators(make_world):
    """RFC 8375, section 4"""
    world = make_world()
    await world.ask("home.arpa DS")
    assert world.upstream.asked == []
    await world.ask("home.arpa DS", do=True)
    assert world.upstream.asked == ["home.arpa DS"]


async def test_zones_with_upstreams_of_their_own_are_forwarded(make_world):
    zones = [{"zone": zone, "servers": ["192.0.2.53"]} for zone in ("2.0.192.in-addr.arpa", "Corp.Local.", "onion")]
    world = make_world(upstream={"zones": zones})
    for name in ("9.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", "pc.corp.local"):
        await world.ask(f"{name} PTR")
    assert len(world.upstream.asked) == 3
    for name in ("printer.local", "x.onion", "1.0.168.192.in-addr.arpa"):
        assert (await world.ask(f"{name} A")).rcode() == 3
    assert len(world.upstream.asked) == 3


async def test_name_above_an_own_name_is_not_denied(make_world):
    """RFC 8020: NXDOMAIN would deny the own name too."""
    world = make_world(records=["a.b.home.arpa A 192.0.2.1", "x.test A 192.0.2.2"])
    for name in ("b.home.arpa", "test"):
        reply = await world.ask(f"{name} A")
        assert (reply.rcode(), reply.answer, len(reply.authority)) == (0, [], 1)


def test_every_special_name_passes_the_first_look():
    special = {*NOTHING, *EMPTY_ZONES, LOCALHOST, RESOLVER_ARPA}
    assert [name for name in special if not name.endswith(_ENDINGS)] == []
