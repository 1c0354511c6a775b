import itertools

import pytest

from tests.resolver.world import ede_of, lines_of

SOA = "example.org 300 SOA ns.example.org. x. 1 2 3 4 60"


async def ask(make_world, question, *answer, do=False, **script):
    world = make_world()
    world.upstream.say(question, *answer, **script)
    return await world.ask(question, do=do), world


async def test_only_records_of_the_chain_are_kept(make_world):
    """R-C06: RFC 2181, section 5.4.1."""
    reply, world = await ask(
        make_world, "www.example.org A",
        "victim.example 300 A 192.0.2.66", "www.example.org 300 A 192.0.2.1", "www.example.org 300 TXT x",
        authority=["victim.example 300 NS ns.evil.example.", "example.org 300 NS ns.example.org."],
        additional=["ns.evil.example 300 A 192.0.2.66", "victim.example 300 A 192.0.2.66"],
    )  # fmt: skip
    assert lines_of(reply.answer) == ["www.example.org 300 A 192.0.2.1"]
    assert not reply.authority
    assert not reply.additional
    await world.ask("victim.example A")
    assert world.upstream.asked == ["www.example.org A", "victim.example A"]


async def test_chain_is_put_in_order(make_world):
    """R-C22: RFC 1034, section 3.6.2."""
    reply, _ = await ask(
        make_world, "www.example.org A",
        "c.example 300 A 192.0.2.1", "b.example 300 CNAME c.example", "www.example.org 300 CNAME b.example",
        "c.example 300 A 192.0.2.2",
    )  # fmt: skip
    assert lines_of(reply.answer) == [
        "www.example.org 300 CNAME b.example.", "b.example 300 CNAME c.example.",
        "c.example 300 A 192.0.2.1", "c.example 300 A 192.0.2.2",
    ]  # fmt: skip


@pytest.mark.parametrize(("links", "rcode"), [(1, 0), (8, 0), (16, 0), (17, 2), (30, 2)])
async def test_long_chains_end_in_servfail(make_world, links, rcode):
    """R-C22"""
    names = ["www.example.org", *(f"l{n}.example" for n in range(links))]
    chain = [f"{a} 300 CNAME {b}" for a, b in itertools.pairwise(names)]
    reply, _ = await ask(make_world, "www.example.org A", *chain, f"{names[-1]} 300 A 192.0.2.1")
    assert reply.rcode() == rcode
    assert len(reply.answer) == (links + 1 if rcode == 0 else 0)


@pytest.mark.parametrize(
    "chain",
    [
        ("www.example.org 300 CNAME www.example.org",),
        ("www.example.org 300 CNAME b.example", "b.example 300 CNAME www.EXAMPLE.org"),
        ("www.example.org 300 CNAME b.example", "b.example 300 CNAME c.example", "c.example 300 CNAME b.example"),
    ],
)
async def test_loops_end_in_servfail(make_world, chain):
    """R-C22"""
    reply, _ = await ask(make_world, "www.example.org A", *chain)
    assert reply.rcode() == 2


async def test_two_targets_at_one_name_are_refused(make_world):
    reply, _ = await ask(
        make_world, "www.example.org A", "www.example.org 300 CNAME a.example", "www.example.org 300 CNAME b.example"
    )
    assert (reply.rcode(), ede_of(reply)) == (2, [0])


async def test_answer_about_something_else_is_refused(make_world):
    """R-C09: never NODATA."""
    reply, _ = await ask(make_world, "www.example.org A", "other.example.org 300 A 192.0.2.1")
    assert reply.rcode() == 2


async def test_referral_is_refused(make_world):
    """R-C09: never NODATA."""
    reply, _ = await ask(make_world, "www.example.org A", authority=["example.org 300 NS ns.example.org."])
    assert reply.rcode() == 2


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"])
async def test_rcodes_about_the_upstream_become_servfail(make_world, rcode):
    reply, _ = await ask(make_world, "www.example.org A", rcode=rcode)
    assert (reply.rcode(), ede_of(reply)) == (2, [22])


async def test_cname_asked_for_is_given_alone(make_world):
    reply, world = await ask(
        make_world, "www.example.org CNAME", "www.example.org 300 CNAME b.example", "b.example 300 CNAME c.example"
    )
    assert lines_of(reply.answer) == ["www.example.org 300 CNAME b.example."]
    assert len(world.upstream.asked) == 1


async def test_soa_of_another_zone_denies_nothing(make_world):
    """R-C15"""
    reply, _ = await ask(make_world, "no.example.net A", rcode="NXDOMAIN", authority=[SOA])
    assert not reply.authority


async def test_dname_is_kept_with_its_cname(make_world):
    """RFC 6672, section 3.1"""
    reply, _ = await ask(
        make_world, "a.old.example A",
        "old.example 300 DNAME new.example", "a.old.example 300 CNAME a.new.example", "a.new.example 300 A 192.0.2.1",
    )  # fmt: skip
    assert [line.split()[2] for line in lines_of(reply.answer)] == ["DNAME", "CNAME", "A"]


async def test_missing_cname_of_a_dname_is_made(make_world):
    """RFC 6672, section 2.2"""
    reply, _ = await ask(
        make_world, "a.b.old.example A", "old.example 90 DNAME new.example", "a.b.new.example 300 A 192.0.2.1"
    )
    assert lines_of(reply.answer)[1] == "a.b.old.example 90 CNAME a.b.new.example."


async def test_dname_that_did_not_make_the_cname_is_left_out(make_world):
    reply, _ = await ask(
        make_world, "a.old.example A",
        "old.example 300 DNAME new.example", "a.old.example 300 CNAME x.example", "x.example 300 A 192.0.2.1",
    )  # fmt: skip
    assert [line.split()[2] for line in lines_of(reply.answer)] == ["CNAME", "A"]


async def test_dname_that_makes_too_long_a_name_passes_on_yxdomain(make_world):
    label = "a" * 60
    question = f"{label}.{label}.{label}.old.example"
    reply, _ = await ask(
        make_world, f"{question} A", f"old.example 300 DNAME {label}.{label}.example", rcode="YXDOMAIN"
    )
    assert (reply.rcode(), reply.answer) == (6, [])


async def test_proofs_go_to_validating_clients(make_world):
    """R-W20: signatures of what is kept, and the proof of a denial."""
    rrsig = "{} 8 2 300 20300101000000 20200101000000 1 example.org. AAAA"
    world = make_world()
    world.upstream.say(
        "www.example.org A",
        "www.example.org 300 CNAME a.example.org", "www.example.org 300 RRSIG " + rrsig.format("CNAME"),
        "a.example.org 300 A 192.0.2.1", "a.example.org 300 RRSIG " + rrsig.format("A"),
        "a.example.org 300 RRSIG " + rrsig.format("TXT"),
        authority=["b.example.org 300 NSEC c.example.org. A", "b.example.org 300 RRSIG " + rrsig.format("NSEC")],
    )  # fmt: skip
    reply = await world.ask("www.example.org A", do=True)
    assert [line.split()[2] for line in lines_of(reply.answer)] == ["CNAME", "RRSIG", "A", "RRSIG"]
    assert [line.split()[2] for line in lines_of(reply.authority)] == ["NSEC", "RRSIG"]
    world.upstream.say(
        "no.example.org A", rcode="NXDOMAIN",
        authority=[SOA, "example.org 300 RRSIG " + rrsig.format("SOA"), "b.example.org 300 NSEC c.example.org. A"],
    )  # fmt: skip
    reply = await world.ask("no.example.org A", do=True)
    assert [line.split()[1] for line in lines_of(reply.authority)] == ["60", "60", "60"]


async def test_signatures_can_be_asked_for(make_world):
    rrsig = "A 8 2 300 20300101000000 20200101000000 1 example.org. AAAA"
    reply, _ = await ask(make_world, "example.org RRSIG", f"example.org 300 RRSIG {rrsig}")
    assert len(reply.answer) == 1


async def test_name_without_the_cname_asked_for_has_nodata(make_world):
    reply, _ = await ask(make_world, "www.example.org CNAME", authority=[SOA])
    assert (reply.rcode(), len(reply.authority)) == (0, 1)


async def test_records_of_another_class_are_not_answers(make_world):
    reply, _ = await ask(
        make_world,
        "www.example.org TXT",
        "www.example.org 300 TXT abcde",
        replace=(b"\0\x10\0\1\0\0", b"\0\x10\0\3\0\0"),
    )
    assert reply.rcode() == 2
