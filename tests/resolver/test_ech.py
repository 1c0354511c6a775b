import dns.flags
import pytest

from tests.resolver.world import lines_of

ON = {"inspection": {"strip_ech": True}}
KEY = "ech=AAj+DQAEAQIDBA=="
SIGNATURE = "www.example.org 300 RRSIG HTTPS 13 3 300 20300101000000 20200101000000 1 example.org. AAAA"
OTHER = "www.example.org 300 RRSIG CNAME 13 3 300 20300101000000 20200101000000 1 example.org. AAAA"


async def test_keys_are_left_alone_unless_asked(make_world):
    world = make_world()
    world.upstream.say("www.example.org HTTPS", f"www.example.org 300 HTTPS 1 . alpn=h2 {KEY}", SIGNATURE, flags="AD")
    reply = await world.ask("www.example.org HTTPS", do=True)
    assert [line.split()[2] for line in lines_of(reply.answer)] == ["HTTPS", "RRSIG"]
    assert "ech=" in reply.to_text()


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
@pytest.mark.parametrize(
    ("data", "left"),
    [
        (f"1 . alpn=h2 {KEY} ipv4hint=192.0.2.1", '1 . alpn="h2" ipv4hint="192.0.2.1"'),
        (f"1 . mandatory=alpn,ech alpn=h2 {KEY}", '1 . mandatory="alpn" alpn="h2"'),
        (f"1 . mandatory=ech {KEY}", "1 ."),
        ("1 . alpn=h2", '1 . alpn="h2"'),
        ("0 edge.example.net.", "0 edge.example.net."),
    ],
)
async def test_keys_are_taken_out(make_world, qtype, data, left):
    """RFC 9460, section 8: what is gone is not mandatory either; from upstream and from cache."""
    world = make_world(**ON)
    world.upstream.say(f"www.example.org {qtype}", f"www.example.org 300 {qtype} {data}")
    for _ in range(2):
        reply = await world.ask(f"www.example.org {qtype}")
        assert lines_of(reply.answer) == [f"www.example.org 300 {qtype} {left}"]
    assert len(world.upstream.asked) == 1


async def test_signatures_of_a_changed_set_go_and_others_stay(make_world):
    """Under DO; what nobody has proven has no AD."""
    world = make_world(**ON, upstream={"trust_ad": True})
    alias = "www.example.org 300 CNAME svc.example.org"
    world.upstream.say(
        "www.example.org HTTPS", alias, OTHER, f"svc.example.org 300 HTTPS 1 . {KEY}",
        SIGNATURE.replace("www.", "svc."), flags="AD",
    )  # fmt: skip
    reply = await world.ask("www.example.org HTTPS", do=True)
    assert [line.split()[2] for line in lines_of(reply.answer)] == ["CNAME", "RRSIG", "HTTPS"]
    assert "RRSIG CNAME" in " ".join(lines_of(reply.answer))
    assert not reply.flags & dns.flags.AD


async def test_answer_without_keys_keeps_signatures_and_ad(make_world):
    world = make_world(**ON, upstream={"trust_ad": True})
    world.upstream.say("www.example.org HTTPS", "www.example.org 300 HTTPS 1 . alpn=h2", SIGNATURE, flags="AD")
    world.upstream.say("www.example.org A", "www.example.org 300 A 192.0.2.1", flags="AD")
    reply = await world.ask("www.example.org HTTPS", do=True)
    assert [line.split()[2] for line in lines_of(reply.answer)] == ["HTTPS", "RRSIG"]
    assert reply.flags & dns.flags.AD
    assert (await world.ask("www.example.org A", do=True)).flags & dns.flags.AD


async def test_keys_behind_an_alias_are_taken_out_of_each_link(make_world):
    world = make_world(**ON)
    world.upstream.say("www.example.org HTTPS", "www.example.org 300 CNAME svc.example.net")
    world.upstream.say("svc.example.net HTTPS", f"svc.example.net 300 HTTPS 1 . {KEY}")
    assert "ech=" not in (await world.ask("www.example.org HTTPS")).to_text()


async def test_service_record_that_cannot_be_read_ends_in_servfail(make_world):
    world = make_world(**ON)
    world.upstream.say("www.example.org HTTPS", r"www.example.org 300 HTTPS 1 . ipv4hint=192.0.2.1",
                       replace=(b"\x00\x04\x00\x04\xc0\x00", b"\x00\x04\x00\x05\xc0\x00"))  # fmt: skip
    assert (await world.ask("www.example.org HTTPS")).rcode() == 2


async def test_records_of_ones_own_are_left_alone(make_world):
    world = make_world(**ON, records=[f"own.example HTTPS 1 . {KEY}"])
    assert "ech=" in (await world.ask("own.example HTTPS")).to_text()


async def test_records_that_differed_in_their_keys_alone_become_one(make_world):
    """RFC 2181, section 5."""
    world = make_world(**ON)
    other = "ech=AAj+DQAEAQIDBQ=="
    world.upstream.say(
        "www.example.org HTTPS", f"www.example.org 300 HTTPS 1 . {KEY}", f"www.example.org 300 HTTPS 1 . {other}"
    )
    answer = await world.answer("www.example.org HTTPS")
    assert len(answer.body.answer) == 1
