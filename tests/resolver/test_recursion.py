import dns.flags
import dns.rcode

from tests.resolver.world import ede_of


async def test_without_rd_only_what_is_ours_is_answered(make_world):
    """RFC 1034, section 4.3.1; RFC 8914, section 4.21: nothing is forwarded, and nothing of the cache shown."""
    world = make_world(policy=["block domain:blocked.example"], records=["own.example A 192.0.2.9"])
    world.upstream.say("www.example.org A", "www.example.org 300 A 192.0.2.1")
    await world.ask("www.example.org A")
    for name, rcode, codes in (
        ("www.example.org", dns.rcode.REFUSED, [20]),
        ("other.example.org", dns.rcode.REFUSED, [20]),
        ("blocked.example", dns.rcode.NOERROR, [15]),
        ("own.example", dns.rcode.NOERROR, []),
        ("localhost", dns.rcode.NOERROR, []),
    ):
        reply = await world.ask(f"{name} A", rd=False)
        assert (reply.rcode(), ede_of(reply)) == (rcode, codes), name
        assert not reply.flags & dns.flags.RD
    assert world.upstream.asked == ["www.example.org A"]
