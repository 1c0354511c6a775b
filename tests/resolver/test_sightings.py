"""What is counted of names that look like AI: only what no rule knows, was answered, and is not this network's own."""

from pathlib import Path

import pytest

from sinkhole.app.own_suffixes import own_suffixes
from sinkhole.policy.engine import Policy
from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.reviews import Reviews
from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.verdict import NO_MATCH
from sinkhole.protocol.names import name_from_text, reversed_key
from sinkhole.protocol.types import QType
from sinkhole.resolver import sightings as module
from sinkhole.resolver.build import build_chain
from sinkhole.resolver.sightings import Sightings
from tests.policy.test_signs import BOOK, BRANDS
from tests.resolver.world import NOON, World, _statement, vendor

OPENAI = vendor("openai", "openai.example")
ADDRESS = "192.0.2.80"
NO_FILE = Path("/dev/null")
ZONES = {"zones": [{"zone": "corp.example", "servers": ["192.0.2.53"]}]}


class Discovery(World):
    """A world whose chain counts what looks like AI."""

    def __init__(self, *policy, clients=False, max_domains=2000, vendors=(OPENAI,), **settings):
        super().__init__(vendors=vendors, **settings)
        self.box.current = self.policy(*policy)
        own = own_suffixes(self.settings, NO_FILE)
        self.sightings = Sightings(self.box, own, clients=clients, max_domains=max_domains)
        self.chain = build_chain(
            self.settings, self.box, self.upstream, self.hits, clock=self.clock, sightings=self.sightings
        )

    def policy(self, *lines, feeds=(), reviews=Reviews()):  # noqa: B008 - immutable
        made = tuple(_statement(number, line) for number, line in enumerate(lines, 1))
        index = NameIndex.from_rules(feeds, [OPENAI], ["update-ai.example"], (), BRANDS, BOOK)
        return Policy(index, made, (), self.how, 1, reviews=reviews)

    def know(self, *names, target=None):
        for name in names:
            self.upstream.say(f"{name} A", *([f"{name} 300 CNAME {target}"] if target else []),
                              f"{target or name} 300 A {ADDRESS}")  # fmt: skip

    async def seen(self, *questions):
        for question in questions:
            await self.ask(question)
        return {one.domain: one for one in self.sightings.drain(100)}


async def test_name_that_looks_like_ai_is_counted_with_its_reasons():
    world = Discovery()
    world.know("www.novel.ai", "api.novel.ai", "example.org")
    seen = await world.seen("www.novel.ai A", "WWW.Novel.AI A", "api.novel.ai A", "example.org A")
    (one,) = seen.values()
    assert (one.domain, one.count, one.is_by_name, one.clients) == ("novel.ai", 3, True, ())
    assert one.examples == ("www.novel.ai", "api.novel.ai")
    assert one.reasons == ("its suffix .ai",)
    assert one.first == one.last == int(NOON.timestamp())
    assert await world.seen() == {}


async def test_examples_are_few():
    world = Discovery()
    names = [f"h{number}.novel.ai" for number in range(5)]
    world.know(*names)
    seen = await world.seen(*(f"{name} A" for name in names))
    assert (seen["novel.ai"].count, len(seen["novel.ai"].examples)) == (5, 3)


@pytest.mark.parametrize(
    ("question", "script"),
    [
        ("novel.ai A", {"rcode": "NXDOMAIN"}),
        ("novel.ai A", {"authority": ["novel.ai 300 SOA ns.novel.ai. a.novel.ai. 1 1 1 1 1"]}),
        ("novel.ai A", {"rcode": "REFUSED"}),
        ("novel.ai TXT", {"answer": ["novel.ai 300 TXT x"]}),
        ("novel.ai MX", {"answer": ["novel.ai 300 MX 1 mx.example."]}),
    ],
)
async def test_what_was_not_answered_or_is_not_connected_to_is_not_counted(question, script):
    world = Discovery()
    answer = script.pop("answer", [])
    world.upstream.say(question, *answer, **script)
    assert await world.seen(question) == {}


async def test_known_names_are_never_counted():
    """Of the catalogue, of a list, of a statement, and those that nothing may block; of this network too."""
    rules = [Rule(Match.SUFFIX, "listed-ai.example")]
    world = Discovery(upstream=ZONES, records=["ai.own.example A 192.0.2.7", "*.gpt.own.example 60 A 192.0.2.7"])
    world.box.current = world.policy(
        "allow vendor:openai", "allow domain:stated-ai.example", feeds=[FeedRules(Feed("list", "file:x"), rules)]
    )
    names = (
        "ai.openai.example", "listed-ai.example", "stated-ai.example", "update-ai.example", "gpt.corp.example",
        "ai.own.example", "x.gpt.own.example", "gpt.local", "sinkhole-canary.novel.ai",
    )  # fmt: skip
    world.know(*names)
    assert await world.seen(*(f"{name} A" for name in names)) == {}


async def test_answer_that_leads_to_a_known_host_makes_a_suspect():
    world = Discovery()
    world.know("helper.example", target="api.openai.example")
    world.upstream.say("svc.example HTTPS", "svc.example 300 HTTPS 1 edge.openai.example. alpn=h2")
    seen = await world.seen("helper.example A", "svc.example HTTPS", "svc.example HTTPS")
    assert seen["helper.example"].reasons == ("its answer leads to api.openai.example of openai",)
    assert seen["svc.example"].reasons == ("its answer leads to edge.openai.example of openai",)
    assert (seen["svc.example"].count, seen["svc.example"].is_by_name) == (2, False)


async def test_answer_that_is_blocked_for_what_it_leads_to_is_counted_too():
    world = Discovery("block vendor:openai")
    world.know("helper.example", "ai.helper.example", target="api.openai.example")
    seen = await world.seen("helper.example A", "ai.helper.example A")
    assert seen["helper.example"].reasons == ("its answer leads to api.openai.example of openai",)
    assert seen["ai.helper.example"].reasons == (
        "the word ai in ai", "its answer leads to api.openai.example of openai",
    )  # fmt: skip


async def test_answer_blocked_for_an_address_leads_to_no_vendor():
    world = Discovery(f"block address:{ADDRESS}")
    world.know("helper.example", "novel.ai")
    seen = await world.seen("helper.example A", "novel.ai A")
    assert {domain: one.reasons for domain, one in seen.items()} == {"novel.ai": ("its suffix .ai",)}


async def test_guesses_are_no_knowledge():
    """A name that waits must be seen while it is blocked, or nobody could ever look at it."""
    world = Discovery("monitor lookalikes", "block unreviewed")
    world.know("deepseek-login.example", "novel.ai")
    seen = await world.seen("deepseek-login.example A", "novel.ai A")
    assert seen["deepseek-login.example"].reasons == ("it imitates deepseek: deepseek beside login",)
    assert seen["novel.ai"].count == 1
    world.box.current = world.policy("block lookalikes")
    assert await world.seen("deepseek-login.example A") == {}


async def test_name_with_octets_that_no_host_has_is_not_counted():
    world = Discovery()
    world.upstream.say("a\\032b.example A", "a\\032b.example 300 CNAME api.openai.example",
                       f"api.openai.example 300 A {ADDRESS}")  # fmt: skip
    assert await world.seen("a\\032b.example A") == {}


async def test_service_record_that_cannot_be_read_leads_nowhere(monkeypatch):
    world = Discovery()
    world.upstream.say(
        "novel.ai HTTPS",
        "novel.ai 300 HTTPS 1 . alpn=h2",
        replace=(b"\x00\x01\x00\x03\x02h2", b"\x00\x01\x00\x09\x02h2"),
    )
    assert await world.seen("novel.ai HTTPS") == {}  # the filter refuses it already


async def test_clients_are_kept_only_where_wanted():
    world = Discovery(clients=True)
    world.know("novel.ai")
    await world.ask("novel.ai A", client="192.0.2.1")
    await world.ask("novel.ai A", client="192.0.2.2")
    await world.ask("novel.ai A", client="192.0.2.1")
    (one,) = world.sightings.drain(1)
    assert one.clients == ("192.0.2.1", "192.0.2.2")


@pytest.mark.interpreted
async def test_domains_and_memory_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "MAX_JUDGED", 2)
    world = Discovery(max_domains=2)
    names = [f"novel{letter}.ai" for letter in "abcd"]
    world.know(*names)
    seen = await world.seen(*(f"{name} A" for name in names))
    assert sorted(seen) == ["novela.ai", "novelb.ai"]
    assert len(world.sightings) == 0
    assert sorted(await world.seen(*(f"{name} A" for name in names[2:]))) == ["novelc.ai", "noveld.ai"]


async def test_drain_gives_the_oldest_first_and_leaves_the_rest():
    world = Discovery()
    world.know("a.ai", "b.ai")
    await world.ask("a.ai A")
    await world.ask("b.ai A")
    assert [one.domain for one in world.sightings.drain(1)] == ["a.ai"]
    assert [one.domain for one in world.sightings.drain(1)] == ["b.ai"]


async def test_name_is_judged_anew_when_other_names_are_known():
    world = Discovery()
    world.know("novel.ai")
    assert "novel.ai" in await world.seen("novel.ai A")
    world.box.current = world.policy(feeds=[FeedRules(Feed("list", "file:x"), [Rule(Match.SUFFIX, "novel.ai")])])
    assert await world.seen("novel.ai A") == {}


async def test_ordinary_name_is_seen_for_what_its_answer_leads_to():
    world = Discovery()
    name = name_from_text("www.shop.example")
    world.know("www.shop.example", "api.shop.example", target="chat.openai.example")
    for asked in (b"\3zzz" + name[4:], name):
        known = world.box.current.index.is_ordinary(asked, reversed_key(asked))
    assert known
    world.sightings.look_at(name, QType.A, NO_MATCH, "192.0.2.1", NOON, ())
    assert not any(world.sightings._judged.values()), "it was judged before"
    assert "www.shop.example" in await world.seen("www.shop.example A")


def test_zone_that_is_all_names_is_not_ones_own():
    world = World(upstream={"zones": [{"zone": ".", "servers": ["192.0.2.53"]}]}, records=["", "x.example A 192.0.2.1"])
    assert own_suffixes(world.settings, NO_FILE) == ("x.example",)
