import dns.flags
import pytest

from sinkhole.resolver.answer import Source
from tests.resolver.world import ede_of, lines_of

RECORDS = (
    "nas.home.arpa A 192.0.2.9",
    "nas.home.arpa A 192.0.2.10",
    "NAS.home.arpa A 192.0.2.10",
    "nas.home.arpa 60 AAAA 2001:db8::9",
    "files.home.arpa CNAME nas.home.arpa",
    "www.example.org CNAME edge.example.net",
    "9.2.0.192.in-addr.arpa PTR nas.home.arpa",
    'nas.home.arpa TXT "a b" c',
    "_smb._tcp.home.arpa SRV 0 5 445 nas.home.arpa",
    "*.dev.example.org A 192.0.2.20",
    "x.y.dev.example.org A 192.0.2.21",
)


async def test_own_records_of_each_type_are_answered(make_world):
    world = make_world(records=RECORDS)
    reply = await world.ask("NAS.home.arpa A")
    assert lines_of(reply.answer) == ["NAS.home.arpa 300 A 192.0.2.9", "NAS.home.arpa 300 A 192.0.2.10"]
    assert reply.flags & dns.flags.AA
    assert lines_of((await world.ask("nas.home.arpa AAAA")).answer) == ["nas.home.arpa 60 AAAA 2001:db8::9"]
    assert lines_of((await world.ask("nas.home.arpa TXT")).answer) == ['nas.home.arpa 300 TXT "a b" "c"']
    assert (await world.ask("_smb._tcp.home.arpa SRV")).answer
    assert (await world.ask("9.2.0.192.in-addr.arpa PTR")).answer
    assert world.upstream.asked == []
    assert (await world.answer("nas.home.arpa AAAA")).ttl == 60


async def test_other_types_of_an_own_name_do_not_exist(make_world):
    reply = await make_world(records=RECORDS).ask("nas.home.arpa MX")
    assert (reply.rcode(), reply.answer, len(reply.authority)) == (0, [], 1)


async def test_own_cname_to_an_own_name_is_followed(make_world):
    reply = await make_world(records=RECORDS).ask("files.home.arpa AAAA")
    assert lines_of(reply.answer) == ["files.home.arpa 300 CNAME nas.home.arpa.", "nas.home.arpa 60 AAAA 2001:db8::9"]


async def test_own_cname_itself_can_be_asked_for(make_world):
    reply = await make_world(records=RECORDS).ask("www.example.org CNAME")
    assert lines_of(reply.answer) == ["www.example.org 300 CNAME edge.example.net."]


async def test_own_cname_to_another_name_is_resolved_further(make_world):
    world = make_world(records=RECORDS)
    world.upstream.say("edge.example.net A", "edge.example.net 50 A 192.0.2.1")
    for _ in range(2):
        answer = await world.answer("www.example.org A")
        assert [record.ttl for record in answer.body.answer] == [300, 50]
    assert answer.ttl == 45
    assert world.upstream.asked == ["edge.example.net A"]


async def test_own_cname_to_a_blocked_name_is_blocked(make_world):
    """R-B06"""
    world = make_world(records=RECORDS, policy=["block domain:example.net"])
    reply = await world.ask("WWW.example.org A")
    assert lines_of(reply.answer) == ["WWW.example.org 10 A 0.0.0.0"]
    assert not world.upstream.asked


async def test_own_cname_whose_target_fails_fails(make_world):
    world = make_world(records=RECORDS)
    world.upstream.fail("edge.example.net A")
    reply = await world.ask("www.example.org A")
    assert (reply.rcode(), reply.answer) == (2, [])


async def test_own_cname_to_an_answer_that_cannot_be_reused(make_world):
    world = make_world(records=RECORDS)
    world.upstream.say("edge.example.net A", "edge.example.net 2 A 192.0.2.1")
    await world.ask("www.example.org A")
    world.clock.advance(3)
    world.upstream.fail("edge.example.net A")
    answer = await world.answer("www.example.org A")
    assert (answer.stale, answer.ttl, len(answer.body.answer)) == (True, None, 2)


async def test_own_cname_to_a_special_name(make_world):
    world = make_world(records=["www.example.org CNAME localhost"])
    assert lines_of((await world.ask("www.example.org A")).answer)[1] == "localhost 10800 A 127.0.0.1"


@pytest.mark.parametrize(
    "records",
    [
        ("a.example.org CNAME a.example.org",),
        ("a.example.org CNAME b.example.org", "b.example.org CNAME A.example.org"),
        tuple(f"{chr(97 + n)}.example.org CNAME {chr(98 + n)}.example.org" for n in range(20)),
    ],
)
async def test_own_chain_that_loops_or_is_too_long_fails(make_world, records):
    """R-C22"""
    reply = await make_world(records=records).ask("a.example.org A")
    assert (reply.rcode(), ede_of(reply)) == (2, [0])


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("a.dev.example.org", "192.0.2.20"),
        ("a.b.dev.example.org", "192.0.2.20"),
        ("*.dev.example.org", "192.0.2.20"),
        ("x.y.dev.example.org", "192.0.2.21"),
    ],
)
async def test_wildcard_covers_names_that_do_not_exist(make_world, name, address):
    """RFC 4592, section 2.2.1"""
    reply = await make_world(records=RECORDS).ask(f"{name} A")
    assert lines_of(reply.answer) == [f"{name} 300 A {address}"]


@pytest.mark.parametrize("name", ["dev.example.org", "y.dev.example.org", "z.y.dev.example.org", "example.org"])
async def test_wildcard_covers_neither_its_parent_nor_names_that_exist(make_world, name):
    """RFC 4592, section 3.3.1"""
    world = make_world(records=RECORDS)
    await world.ask(f"{name} A")
    assert world.upstream.asked == [f"{name} A"]


async def test_own_records_go_before_policy(make_world):
    world = make_world(records=RECORDS, policy=["block domain:home.arpa"])
    assert (await world.answer("nas.home.arpa")).source is Source.LOCAL


@pytest.mark.parametrize("name", ["use-application-dns.net", "mask.icloud.com", "Mask-h2.icloud.com"])
async def test_canaries_are_denied_unless_told_otherwise(make_world, name):
    """R-B16"""
    world = make_world()
    reply = await world.ask(f"{name} AAAA")
    assert (reply.rcode(), len(reply.authority), world.upstream.asked) == (3, 1, [])
    await world.ask(f"www.{name} A")
    assert len(world.upstream.asked) == 1
    world = make_world(canaries=False)
    await world.ask(f"{name} A")
    assert len(world.upstream.asked) == 1


async def test_any_is_answered_with_one_hinfo(make_world):
    """R-W13: RFC 8482, section 4.2."""
    world = make_world(records=RECORDS)
    for name in ("example.org", "nas.home.arpa", "www.example.org"):
        reply = await world.ask(f"{name} ANY")
        assert lines_of(reply.answer) == [f'{name} 3600 HINFO "RFC8482" ""']
    assert world.upstream.asked == []


async def test_any_of_a_blocked_name_is_blocked_and_counted(make_world):
    """R-W13, R-B02"""
    world = make_world(policy=["block domain:example.org"])
    assert not (await world.ask("example.org ANY")).answer
    assert [row.qtype for row in world.hits.drain(9)] == [255]
