"""Why a name is blocked: the code, a sentence, JSON for those who read it, TXT for those who may ask."""

import json
from dataclasses import replace
from datetime import timedelta

import dns.flags
import dns.message
import pytest

from sinkhole.config.schema import BlockingSettings
from sinkhole.policy.basis import Basis
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode
from sinkhole.protocol.edns import Edns
from sinkhole.protocol.reply import reply_limit, write_reply
from sinkhole.resolver.blocked import block_answer
from tests.resolver.world import NOON, World, ede_of, lines_of, vendor

DEEPSEEK = (vendor("deepseek", "deepseek.example"),)
INSIDE, OUTSIDE = "10.0.0.7", "198.51.100.7"
CONTACTS = ["mailto:it@example.org", "https://help.example.org/", "tel:+49-30-555"]
EMPTY_EDE = (15, b"\0\0")


def stated(world: World, **fields) -> World:
    """Put one statement in force: block vendor:deepseek."""
    statement = Statement(1, Subject.from_text("vendor:deepseek"), Action.BLOCK, **fields)
    world.box.current = replace_statements(world, statement)
    return world


def replace_statements(world: World, *statements: Statement):
    policy = world.make_policy()
    return type(policy)(policy.index, statements, world._groups, world.how, policy.generation)


async def structured(world: World, text: str, *, option=EMPTY_EDE, payload: int = 1232, **options):
    """Ask as a client that reads structured errors; return the reply and what the JSON of its error says."""
    query = world.query(text, **options)
    query = replace(query, message=replace(query.message, edns=Edns(payload, options=(option,))))
    answer = await world.chain(query)
    wire = write_reply(query.message, answer.body, max_size=reply_limit(query.message, False, 1232))
    reply = dns.message.from_wire(wire)
    assert len(wire) <= max(512, payload)
    said = reply.options[0].text if reply.options else None
    return reply, json.loads(said) if said and said.startswith("{") else said


@pytest.mark.parametrize(("basis", "code"), [(None, 17), (Basis.OPERATOR, 15), (Basis.LAW, 16), (Basis.REQUEST, 17)])
async def test_code_is_that_of_the_basis_else_of_the_answer(make_world, basis, code):
    """RFC 8914, sections 4.16 to 4.18."""
    world = stated(make_world(vendors=DEEPSEEK, how=BlockAnswer(ede=17)), basis=basis)
    assert ede_of(await world.ask("chat.deepseek.example")) == [code]


async def test_client_that_reads_json_gets_it_and_others_a_sentence(make_world):
    """draft-ietf-dnsop-structured-dns-error, section 4."""
    blocking = {"contact": CONTACTS, "organisation": "Beispiel GmbH"}
    world = stated(make_world(vendors=DEEPSEEK, blocking=blocking))
    _, said = await structured(world, "chat.deepseek.example")
    assert said == {
        "c": ["mailto:it@example.org", "tel:+49-30-555"],
        "j": "deepseek is blocked by policy vendor:deepseek",
        "s": 5,
        "o": "Beispiel GmbH",
        "l": "en",
    }
    reply = await world.ask("chat.deepseek.example")
    assert reply.options[0].text == "deepseek is blocked by policy vendor:deepseek"


@pytest.mark.parametrize(("basis", "code"), [(Basis.LAW, 16), (Basis.REQUEST, 17)])
async def test_sub_error_is_told_beside_blocked_alone(make_world, basis, code):
    """Section 5.2: none of those there are may stand beside "Censored", or is about policy beside "Filtered"."""
    world = stated(make_world(vendors=DEEPSEEK, blocking={"contact": CONTACTS}), basis=basis)
    reply, said = await structured(world, "chat.deepseek.example")
    assert (ede_of(reply), "s" in said, "c" in said) == ([code], False, True)


@pytest.mark.parametrize(
    ("sde_option", "option", "is_told"),
    [
        (None, EMPTY_EDE, True),
        (65001, (65001, b""), True),
        (65001, EMPTY_EDE, True),
        (65001, (65001, b"x"), False),
        (None, (65001, b""), False),
        (None, (15, b"\0\x0f"), False),
        (None, (15, b"\0\0x"), False),
        (None, (15, b""), False),
    ],
)
async def test_signal_of_the_client(make_world, sde_option, option, is_told):
    """Section 5.3: an option without data; in earlier texts an empty extended error. Anything else is no signal."""
    world = stated(make_world(vendors=DEEPSEEK, blocking={"sde_option": sde_option}))
    _, said = await structured(world, "chat.deepseek.example", option=option)
    assert isinstance(said, dict) is is_told


async def test_nothing_of_policy_is_told_where_that_is_off(make_world):
    world = stated(make_world(vendors=DEEPSEEK, blocking={"ede_text": False, "organisation": "x"}))
    _, said = await structured(world, "chat.deepseek.example")
    assert said == {"s": 5, "o": "x"}
    stated(world, basis=Basis.LAW)
    reply, said = await structured(world, "chat.deepseek.example")
    assert (ede_of(reply), said) == ([16], None)


async def test_long_explanation_gives_way_and_nothing_is_cut_off(make_world):
    """It fits the payload of the client, shortened or left out; TC is never set for it."""
    name = ".".join(["a" * 60, "b" * 60, "c" * 60, "d" * 40, "deepseek.example"])
    blocking = {"contact": ["mailto:" + "x" * 180 + "@example.org"], "organisation": "Ü" * 100}
    world = stated(make_world(vendors=DEEPSEEK, blocking=blocking))
    for qtype in ("A", "AAAA", "MX"):
        reply, said = await structured(world, f"{name} {qtype}", payload=512)
        assert not reply.flags & dns.flags.TC
        assert said == {"j": "deepseek is blocked by policy vendor:deepseek", "s": 5, "l": "en"}
        assert ede_of(reply) == [15]
    _, said = await structured(world, f"{name} A", payload=1232)
    assert said["o"] == "Ü" * 100


async def test_long_subject_is_cut(make_world):
    zone = ".".join(["a" * 60, "b" * 60, "c" * 60, "example"])
    world = make_world(policy=[f"block domain:{zone}"])
    _, said = await structured(world, zone)
    assert len(said["j"]) == 200
    assert said["j"].startswith("blocked by policy domain:aaa")


async def test_rewritten_name_is_forged_for_others_and_blocked_for_those_who_read_json(make_world):
    """Section 5.2: "Forged Answer" is not sent to a client that gives the signal."""
    rule = Rule(Match.EXACT, "own.example", RuleAction.REWRITE, rewrite="A 192.0.2.7")
    world = make_world(feeds=[("own", [rule])], local=True, policy=["block feed:own"])
    assert ede_of(await world.ask("own.example")) == [4]
    reply, said = await structured(world, "own.example")
    assert (ede_of(reply), lines_of(reply.answer)) == ([15], ["own.example 10 A 192.0.2.7"])
    assert said["j"] == "blocked by policy feed:own"


async def test_rewrite_that_cannot_be_made_is_a_failure_for_all(make_world):
    rule = Rule(Match.EXACT, "own.example", RuleAction.REWRITE, rewrite="A nonsense")
    world = make_world(feeds=[("own", [rule])], local=True, policy=["block feed:own"])
    reply, _ = await structured(world, "own.example")
    assert (reply.rcode(), ede_of(reply)) == (2, [0])


def txt_of(section) -> list[str]:
    (rrset,) = section
    (record,) = rrset
    return [text.decode() for text in record.strings]


TOLD = [
    "vendor=deepseek", "policy=block vendor:deepseek for all", "reason=order 7", "contact=mailto:it@example.org",
    "contact=https://help.example.org/", "contact=tel:+49-30-555", "until=2026-03-03T12:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["address", "nodata", "refused"])
async def test_txt_tells_vendor_policy_and_contact(make_world, mode):
    world = make_world(vendors=DEEPSEEK, blocking={"contact": CONTACTS, "mode": mode, "ttl": 20})
    stated(world, reason="order 7", basis=Basis.LAW, expires=NOON + timedelta(days=1))
    reply = await world.ask("Chat.deepseek.example TXT", client=INSIDE)
    assert (reply.rcode(), txt_of(reply.answer), ede_of(reply)) == (0, TOLD, [16])
    assert (reply.answer[0].name.to_text(), reply.answer[0].ttl) == ("Chat.deepseek.example.", 20)


async def test_beside_nxdomain_the_text_is_additional(make_world):
    """RFC 8020: a name that does not exist has no TXT record in the answer section either."""
    world = make_world(vendors=DEEPSEEK, how=block_answer(BlockingSettings(mode="nxdomain")))
    stated(world)
    reply = await world.ask("chat.deepseek.example TXT", client=INSIDE)
    assert (reply.rcode(), reply.answer, len(reply.authority)) == (3, [], 1)
    assert txt_of(reply.additional) == TOLD[:2]


@pytest.mark.parametrize(("mode", "rcode"), [("address", 0), ("nodata", 0), ("nxdomain", 3), ("refused", 5)])
async def test_others_get_the_answer_that_every_type_gets(make_world, mode, rcode):
    world = stated(make_world(vendors=DEEPSEEK, blocking={"mode": mode}))
    reply = await world.ask("chat.deepseek.example TXT", client=OUTSIDE)
    assert (reply.rcode(), reply.answer, reply.additional) == (rcode, [], [])


async def test_networks_that_are_told_are_a_setting(make_world):
    world = stated(make_world(vendors=DEEPSEEK, blocking={"explain_to": ["198.51.100.0/24"]}))
    assert (await world.ask("chat.deepseek.example TXT", client=OUTSIDE)).answer
    assert not (await world.ask("chat.deepseek.example TXT", client=INSIDE)).answer
    nobody = stated(make_world(vendors=DEEPSEEK, blocking={"explain_to": []}))
    assert not (await nobody.ask("chat.deepseek.example TXT", client="127.0.0.1")).answer


@pytest.mark.parametrize("qtype", ["A", "MX", "HTTPS", "ANY"])
async def test_other_types_tell_nothing(make_world, qtype):
    world = stated(make_world(vendors=DEEPSEEK))
    reply = await world.ask(f"chat.deepseek.example {qtype}", client=INSIDE)
    assert "policy=" not in reply.to_text()


async def test_control_characters_are_not_told(make_world):
    world = stated(make_world(vendors=DEEPSEEK), reason="a\x1b[31mb\nc\u202ed")
    assert "reason=a?[31mb?c?d" in txt_of((await world.ask("chat.deepseek.example TXT", client=INSIDE)).answer)


async def test_strings_are_cut_at_255_octets(make_world):
    world = stated(make_world(vendors=DEEPSEEK), reason="ü" * 400)
    texts = txt_of((await world.ask("chat.deepseek.example TXT", client=INSIDE)).answer)
    assert texts[2] == "reason=" + "ü" * 124


async def test_text_depends_on_the_client_and_is_never_shared(make_world):
    """Clients of one group may be in networks that are told and in others."""
    world = stated(make_world(vendors=DEEPSEEK))
    for client in (INSIDE, OUTSIDE):
        assert (await world.answer("chat.deepseek.example TXT", client=client)).ttl is None
        assert (await world.answer("chat.deepseek.example MX", client=client)).ttl == 10


async def test_alias_of_a_blocked_name_is_explained_without_its_chain(make_world):
    world = stated(make_world(vendors=DEEPSEEK))
    world.upstream.say("www.example.org TXT", "www.example.org 300 CNAME chat.deepseek.example")
    reply = await world.ask("www.example.org TXT", client=INSIDE)
    assert txt_of(reply.answer) == TOLD[:2]
    assert "chat." not in reply.to_text()


async def test_group_is_told_to_its_members(make_world):
    group = Group("staff", ("10.0.0.0/8",), answer=BlockAnswer(BlockMode.NODATA, ede=17))
    world = make_world(vendors=DEEPSEEK, groups=[group], policy=["block vendor:deepseek @staff"])
    reply = await world.ask("chat.deepseek.example TXT", client=INSIDE)
    assert txt_of(reply.answer)[1] == "policy=block vendor:deepseek for group:staff"
    assert ede_of(reply) == [17]


async def test_lockdown_is_told_as_such(make_world):
    """The statement it names may be none at all, and no statement would lift it."""
    until = Override(OverrideKind.LOCKDOWN, 4, (Subject.from_text("ai"),), NOON + timedelta(hours=1), reason="exam")
    world = make_world(vendors=DEEPSEEK, policy=["allow vendor:deepseek"], overrides=[until])
    reply = await world.ask("chat.deepseek.example TXT", client=INSIDE)
    assert txt_of(reply.answer) == [
        "vendor=deepseek", "policy=block ai for all", "override=lockdown:4", "reason=exam",
        "until=2026-03-02T13:00:00Z",
    ]  # fmt: skip


async def test_private_address_is_explained_in_the_same_forms(make_world):
    """Text beside "Blocked" is JSON for whoever asked for JSON, whichever stage wrote it."""
    world = make_world(rebinding={"enabled": True})
    world.upstream.say("www.example.org A", "www.example.org 300 A 192.168.1.1")
    _, said = await structured(world, "www.example.org")
    assert said == {"j": "private address of a public name", "s": 5, "l": "en"}
    assert (await world.ask("www.example.org")).options[0].text == "private address of a public name"
