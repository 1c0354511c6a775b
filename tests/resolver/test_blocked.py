from ipaddress import ip_address

import dns.flags
import pytest

from sinkhole.config.schema import BlockingSettings
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import BlockAnswer, BlockMode
from sinkhole.resolver.blocked import block_answer
from tests.resolver.world import ede_of, lines_of, vendor

DEEPSEEK = (vendor("deepseek", "deepseek.example"),)
POLICY = {"vendors": DEEPSEEK, "policy": ["block vendor:deepseek"]}


def how(**changes):
    return block_answer(BlockingSettings(**changes))


@pytest.mark.parametrize(("qtype", "data"), [("A", "0.0.0.0"), ("AAAA", "::")])
async def test_address_of_blocked_name_is_the_null_address_by_default(make_world, qtype, data):
    """R-B01"""
    reply = await make_world(**POLICY).ask(f"chat.deepseek.example {qtype}")
    assert lines_of(reply.answer) == [f"chat.deepseek.example 10 {qtype} {data}"]
    assert not reply.authority


async def test_blocked_name_of_one_family_only_has_nodata_for_the_other(make_world):
    """R-B01"""
    world = make_world(**POLICY, how=how(ipv4="192.0.2.80", ttl=60))
    assert lines_of((await world.ask("deepseek.example A")).answer) == ["deepseek.example 60 A 192.0.2.80"]
    reply = await world.ask("deepseek.example AAAA")
    assert (reply.rcode(), lines_of(reply.answer)) == (0, [])
    assert reply.authority[0].ttl == 60


async def test_blocked_name_with_sixth_family_only_has_nodata_for_a(make_world):
    world = make_world(**POLICY, how=how(ipv6="2001:db8::80"))
    assert lines_of((await world.ask("deepseek.example AAAA")).answer) == ["deepseek.example 10 AAAA 2001:db8::80"]
    assert not (await world.ask("deepseek.example A")).answer


@pytest.mark.parametrize(
    ("mode", "rcode", "has_soa"), [("nxdomain", 3, True), ("nodata", 0, True), ("refused", 5, False)]
)
@pytest.mark.parametrize("qtype", ["A", "AAAA", "HTTPS", "TXT", "MX"])
async def test_mode_is_the_same_for_every_type(make_world, mode, rcode, has_soa, qtype):
    """R-B01, R-B03"""
    reply = await make_world(**POLICY, how=how(mode=mode)).ask(f"deepseek.example {qtype}")
    assert (reply.rcode(), reply.answer, bool(reply.authority)) == (rcode, [], has_soa)


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB", "TXT", "MX", "NS", "SOA", "DS", "TYPE65300", "ANY", "CNAME", "PTR"])
async def test_other_types_of_blocked_name_have_nodata_with_soa(make_world, qtype):
    """R-B03, R-B10: never NXDOMAIN beside an address (RFC 8020), never an empty answer that cannot be kept."""
    reply = await make_world(**POLICY).ask(f"www.deepseek.example {qtype}", do=True)
    assert (reply.rcode(), reply.answer) == (0, [])
    (soa,) = reply.authority
    assert (soa.ttl, soa[0].minimum) == (10, 10)
    assert soa.name.to_text() == "deepseek.example."


async def test_blocked_answer_has_ra_and_no_ad_and_the_name_as_asked(make_world):
    """R-B10, R-W21"""
    reply = await make_world(**POLICY).ask("ChAt.DeepSeek.Example A", ad=True)
    assert reply.flags & dns.flags.RA
    assert not reply.flags & (dns.flags.AD | dns.flags.AA)
    assert reply.answer[0].name.to_text() == "ChAt.DeepSeek.Example."


@pytest.mark.parametrize("code", [15, 16, 17])
async def test_extended_error_names_vendor_and_policy(make_world, code):
    """R-B11"""
    reply = await make_world(**POLICY, how=BlockAnswer(ede=code)).ask("deepseek.example A")
    (option,) = reply.options
    assert (option.code, option.text) == (code, "deepseek is blocked by policy vendor:deepseek")


async def test_extended_error_text_can_be_turned_off(make_world):
    """R-B11"""
    reply = await make_world(**POLICY, blocking={"ede_text": False}).ask("deepseek.example A")
    assert ede_of(reply) == [15]
    assert not reply.options[0].text


async def test_extended_error_tells_nothing_of_client_group_or_chain(make_world):
    """R-B11"""
    world = make_world(policy=["block domain:hidden.example"])
    world.upstream.say(
        "www.example.org A", "www.example.org 300 CNAME x.hidden.example", "x.hidden.example 60 A 192.0.2.7"
    )
    reply = await world.ask("www.example.org A")
    assert "x.hidden" not in str(reply)
    assert reply.options[0].text == "blocked by policy domain:hidden.example"


async def test_no_query_of_any_type_for_a_blocked_name_leaves(make_world):
    """R-B02"""
    world = make_world(**POLICY)
    for qtype in range(1, 300):
        await world.ask(f"data.deepseek.example TYPE{qtype}")
    assert world.upstream.asked == []


async def test_root_and_top_level_can_be_blocked(make_world):
    world = make_world(policy=["block domain:example"])
    assert (await world.ask("example MX")).authority[0].name.to_text() == "example."


async def test_each_group_has_its_own_answer(make_world):
    """R-B01"""
    staff = Group("staff", ("192.0.2.64/26",), answer=BlockAnswer(BlockMode.REFUSED))
    world = make_world(**POLICY, groups=[staff])
    assert (await world.ask("deepseek.example", client="192.0.2.70")).rcode() == 5
    assert (await world.ask("deepseek.example", client="192.0.2.1")).rcode() == 0


@pytest.mark.parametrize(
    ("settings", "ipv4", "ipv6"),
    [
        ({}, "0.0.0.0", "::"),
        ({"ipv4": "192.0.2.1"}, "192.0.2.1", None),
        ({"ipv6": "2001:db8::1"}, None, "2001:db8::1"),
        ({"ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}, "192.0.2.1", "2001:db8::1"),
    ],
)
def test_settings_make_the_answer(settings, ipv4, ipv6):
    made = how(mode="nodata", ttl=5, ede=17, **settings)
    assert made == BlockAnswer(BlockMode.NODATA, ipv4, ipv6, 5, 17)
    assert all(ip_address(a) for a in (ipv4, ipv6) if a)
