import dns.rcode
import pytest

from sinkhole.errors import ConfigError
from sinkhole.protocol.message import Record
from sinkhole.protocol.rdata import address_to_text
from sinkhole.protocol.types import QType
from sinkhole.resolver.rebinding import is_private, is_private_record
from tests.resolver.world import World, ede_of, lines_of

ON = {"rebinding": {"enabled": True, "allow": ["corp.example"]}}


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "127.0.0.1", "172.31.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "0.0.0.0", "0.1.2.3", "::",
        "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "::ffff:192.0.2.1", "64:ff9b::10.0.0.1",
    ],
)  # fmt: skip
async def test_private_addresses_are_taken_out(make_world, address):
    """R-B17: private, loopback, link-local, shared, unique local and mapped ones, from network and from cache."""
    qtype = "AAAA" if ":" in address else "A"
    world = make_world(**ON)
    world.upstream.say(f"www.example.org {qtype}", f"www.example.org 300 {qtype} {address}")
    for _ in range(2):
        reply = await world.ask(f"www.example.org {qtype}")
        assert (reply.rcode(), reply.answer, ede_of(reply)) == (dns.rcode.NOERROR, [], [15])
        assert len(reply.authority) == 1
    assert len(world.upstream.asked) == 1


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "64:ff9b::192.0.2.1", "172.32.0.1", "100.128.0.1"])
def test_public_addresses_are_left(address):
    """R-B17"""
    assert not is_private(address)


async def test_other_records_stay(make_world):
    """R-B17: the public address beside a private one; signatures of a set that was cut are gone."""
    world = make_world(**ON)
    rrsig = "A 8 2 300 20300101000000 20200101000000 1 example.org. AAAA"
    world.upstream.say(
        "www.example.org A", "www.example.org 300 A 10.0.0.1", "www.example.org 300 A 192.0.2.1",
        f"www.example.org 300 RRSIG {rrsig}",
    )  # fmt: skip
    assert lines_of((await world.ask("www.example.org A", do=True)).answer) == ["www.example.org 300 A 192.0.2.1"]


async def test_hints_of_service_records_count(make_world):
    """R-B17"""
    world = make_world(**ON)
    world.upstream.say(
        "www.example.org HTTPS",
        "www.example.org 300 HTTPS 1 . ipv4hint=192.168.0.1",
        "www.example.org 300 HTTPS 2 . ipv6hint=2001:db8::1",
    )
    assert len((await world.ask("www.example.org HTTPS")).answer[0]) == 1


async def test_alias_of_an_internal_name_is_no_way_in(make_world):
    """R-B17: the name that was asked for counts, and its chain is not followed further."""
    world = make_world(**ON)
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME nas.corp.example")
    world.upstream.say("nas.corp.example A", "nas.corp.example 300 A 10.0.0.1")
    assert len((await world.ask("nas.corp.example A")).answer) == 1
    assert [line.split()[2] for line in lines_of((await world.ask("www.example.org A")).answer)] == ["CNAME"]


async def test_allowed_names_forwarded_zones_and_own_records_may_be_private(make_world):
    """R-B17: the allow list."""
    zones = [{"zone": "lan.example", "servers": ["192.0.2.1"]}]
    world = make_world(**ON, upstream={"zones": zones}, records=["printer.example A 10.0.0.9"])
    for name in ("corp.example", "A.corp.EXAMPLE", "pc.lan.example"):
        world.upstream.say(f"{name.lower()} A", f"{name} 300 A 10.0.0.1")
        assert len((await world.ask(f"{name} A")).answer) == 1
    assert len((await world.ask("printer.example A")).answer) == 1


async def test_without_the_setting_nothing_is_taken_out(make_world):
    """R-B17: an option."""
    world = make_world()
    world.upstream.say("www.example.org A", "www.example.org 300 A 10.0.0.1")
    assert len((await world.ask("www.example.org A")).answer) == 1


async def test_service_record_that_cannot_be_read_ends_in_servfail(make_world):
    world = make_world(**ON)
    world.upstream.say("www.example.org HTTPS", r"www.example.org 300 HTTPS 1 . ipv4hint=192.168.0.1",
                       replace=(b"\x00\x04\x00\x04\xc0\xa8", b"\x00\x04\x00\x05\xc0\xa8"))  # fmt: skip
    assert (await world.ask("www.example.org HTTPS")).rcode() == dns.rcode.SERVFAIL


def test_names_are_read_at_the_start():
    with pytest.raises(ConfigError, match=r"rebinding\.allow\[1\]"):
        World(rebinding={"enabled": True, "allow": ["a.example", "b..c"]})


def test_two_octets_tell_private_addresses_as_networks_do():
    firsts = (0, 1, 9, 10, 11, 99, 100, 101, 126, 127, 128, 169, 172, 191, 192, 193, 224, 255)
    starts = [bytes((first, second)) for first in firsts for second in range(256)]
    wrong = [
        start
        for start in starts
        for end in (b"\0\0", b"\xff\xff")
        if is_private_record(Record(b"\0", QType.A, 1, 0, start + end)) is not is_private(address_to_text(start + end))
    ]
    assert wrong == []
