"""What the policy says of names, of names in answers, and of addresses in answers."""

from datetime import timedelta

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.brand import Brand, BrandKind
from sinkhole.policy.default import default_statements
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE, Scope
from sinkhole.policy.image import NameIndex
from sinkhole.policy.lookalikes import BrandBook
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import NO_MATCH, Action, BlockAnswer, BlockMode
from sinkhole.protocol.names import name_from_text
from tests.policy.world import (
    AAAA,
    NOW,
    PROTECTED,
    VENDORS,
    WAYS,
    A,
    decide,
    domain,
    listed,
    make_policy,
    product,
    statement,
    statements,
    vendor,
)

STAFF = Group("staff", ("192.0.2.0/24",))
DESK = Group("desk", ("192.0.2.7/32",))


def said(policy: Policy, name: str, client: str = "192.0.2.1", **options: object) -> str | None:
    """Return what decided, as `block vendor:x`, or None."""
    verdict = decide(policy, name, client, **options)  # type: ignore[arg-type]
    return f"{verdict.action} {verdict.subject}" if verdict.subject else None


def test_fresh_install_blocks_the_catalogue():
    policy = make_policy(default_statements(WAYS))
    assert said(policy, "chat.deepseek.example") == "block ai"
    assert said(policy, "www.mirror.example") == "block ai"
    assert said(policy, "a.tunnel.example") == "block bypass:tunnel"
    assert said(policy, "api.deepseek.example") == "monitor bypass:gateway"
    assert said(policy, "www.example.org") is None


@pytest.mark.parametrize(
    ("subject", "hits"),
    [
        (
            "ai",
            {
                "deepseek.example",
                "api.deepseek.example",
                "model.eu.cloud.example",
                "notes.cloud.example",
                "mirror.example",
            },
        ),
        ("vendor:deepseek", {"deepseek.example", "api.deepseek.example"}),
        ("product:deepseek/chat", {"deepseek.example"}),
        ("product:deepseek/telemetry", {"log.shared.example"}),
        ("category:api", {"api.deepseek.example", "model.eu.cloud.example"}),
        ("category:code", {"deepseek.example"}),
        ("jurisdiction:US", {"model.eu.cloud.example", "notes.cloud.example", "writer.example"}),
        ("vendor:writer", {"writer.example"}),
        ("domain:deepseek.example", {"deepseek.example", "api.deepseek.example", "status.deepseek.example"}),
        ("domain:log.shared.example", {"log.shared.example"}),
        ("models:deepseek", {"deepseek.example", "api.deepseek.example", "model.eu.cloud.example"}),
        ("models:cloud", {"model.eu.cloud.example", "notes.cloud.example"}),
        ("bypass:tunnel", {"tunnel.example"}),
        ("bypass:mirror", {"mirror.example"}),
        ("bypass:gateway", {"api.deepseek.example", "model.eu.cloud.example"}),
        ("vendor:unknown", set()),
        ("feed:unknown", set()),
    ],
)
def test_subjects_reach_their_domains(subject, hits):
    """Opt-in domains and protected names only by what names them; `ai` leaves vendors out that are not default."""
    policy = make_policy([f"block {subject}"])
    names = {
        "deepseek.example", "api.deepseek.example", "status.deepseek.example", "log.shared.example",
        "model.eu.cloud.example", "notes.cloud.example", "writer.example", "update.example", "example.org",
        "tunnel.example", "mirror.example",
    }  # fmt: skip
    assert {name for name in names if decide(policy, name).is_blocked} == hits


def test_letter_case_and_odd_octets_make_no_difference():
    """R-B05."""
    policy = make_policy(["block vendor:deepseek", "monitor domain:Bücher.example"])
    assert said(policy, "ChAt.DeepSeek.EXAMPLE.") == "block vendor:deepseek"
    assert said(policy, "www.xn--bcher-kva.example") == "monitor domain:bücher.example"
    assert policy.decide(b"\x01\xff\x08DeepSeek\x07example\x00", A, EVERYONE, NOW).is_blocked


def test_domain_statements_match_at_label_borders():
    """R-B04."""
    policy = make_policy(["block domain:x.example"])
    names = ["x.example", "a.x.example", "notx.example", "x-y.example", "x.example.org", "example"]
    assert [name for name in names if decide(policy, name).is_blocked] == ["x.example", "a.x.example"]


def test_verdict_says_what_it_rests_on():
    groups = [STAFF, DESK]
    policy = make_policy([statement(7, "block category:api", "staff", reason="no keys")], groups=groups)
    verdict = decide(policy, "v1.api.deepseek.example", "192.0.2.7")
    assert verdict.is_blocked
    assert (verdict.subject, verdict.scope, verdict.statement) == ("category:api", "group:staff", 7)
    assert (verdict.vendor, verdict.product, verdict.categories) == ("deepseek", "deepseek/api", ("api",))
    assert (verdict.jurisdiction, verdict.rule, verdict.group) == ("CN", "api.deepseek.example and below", "desk")
    assert (verdict.feed, verdict.line, verdict.via, verdict.reason) == (None, None, None, "no keys")


def test_catalogue_is_told_even_where_no_statement_matches():
    verdict = decide(make_policy(["block vendor:cloud"]), "deepseek.example")
    assert (verdict.action, verdict.subject, verdict.vendor) == (Action.ALLOW, None, "deepseek")
    verdict = decide(make_policy(["allow domain:deepseek.example"]), "www.deepseek.example")
    assert (str(verdict.action), verdict.subject) == ("allow", "domain:deepseek.example")
    assert (verdict.vendor, verdict.rule) == ("deepseek", "deepseek.example and below")


def test_name_that_nothing_knows():
    policy = make_policy(["block ai"], groups=[STAFF])
    assert decide(policy, "example.org", "198.51.100.1") is NO_MATCH
    assert decide(policy, "example.org").group == "staff"
    assert decide(policy, "update.example").subject is None


def test_feed_decides_by_its_own_statement():
    policy = make_policy(["block feed:one"], listed("one", "x.example"), listed("two", "y.example"))
    verdict = decide(policy, "a.x.example")
    assert (verdict.subject, verdict.feed, verdict.line, verdict.rule) == ("feed:one", "one", 1, "x.example and below")
    assert said(policy, "y.example") is None


def test_feed_that_is_part_of_ai():
    policy = make_policy(["block ai"], listed("one", "x.example", part_of_ai=True), listed("two", "y.example"))
    verdict = decide(policy, "x.example")
    assert (verdict.subject, verdict.feed, verdict.vendor) == ("ai", "one", None)
    assert said(policy, "y.example") is None
    policy = make_policy(["block ai", "allow feed:one"], listed("one", "x.example", part_of_ai=True))
    assert said(policy, "x.example") == "allow feed:one"


def test_exception_of_a_feed_counts_within_that_feed():
    """R-B08: a feed's exception only beats that feed."""
    exception = Rule(Match.SUFFIX, "x.example", RuleAction.ALLOW, line=9)
    policy = make_policy(["block feed:one", "block feed:two"], listed("one", "x.example", exception), listed("two"))
    assert said(policy, "x.example") is None
    policy = make_policy(
        ["block feed:one", "block feed:two"], listed("one", "x.example", exception), listed("two", "x.example")
    )
    assert said(policy, "x.example") == "block feed:two"


def test_exception_of_the_user_beats_every_feed():
    """R-B08: by a statement, or by a local list that is in force."""
    exception = Rule(Match.SUFFIX, "x.example", RuleAction.ALLOW, line=9)
    feeds = (listed("own", exception, local=True, part_of_ai=True), listed("two", "x.example", part_of_ai=True))
    assert said(make_policy(["block ai", "allow domain:x.example"], *feeds), "x.example") == "allow domain:x.example"
    assert said(make_policy(["block feed:own", "block feed:two"], *feeds), "x.example") is None
    assert said(make_policy(["block ai"], *feeds), "x.example") is None
    assert said(make_policy(["block feed:two"], *feeds), "x.example") == "block feed:two"
    assert said(make_policy(["block feed:two", "allow feed:own"], *feeds), "x.example") == "block feed:two"
    expired = statement(9, "block feed:own", expires=NOW)
    assert said(make_policy([expired, "block feed:two"], *feeds), "x.example") == "block feed:two"
    # Lists are what it lifts, not the catalogue.
    own = listed("own", Rule(Match.SUFFIX, "deepseek.example", RuleAction.ALLOW), local=True)
    assert said(make_policy(["block ai", "block feed:own"], own), "deepseek.example") == "block ai"


def test_rewrite_of_a_local_list_is_told():
    rule = Rule(Match.SUFFIX, "x.example", RuleAction.REWRITE, rewrite="A 192.0.2.9", line=1)
    own = listed("own", rule, local=True)
    verdict = decide(make_policy(["block feed:own"], own), "x.example")
    assert (verdict.action, verdict.rewrite) == (Action.BLOCK, ("A 192.0.2.9",))
    verdict = decide(make_policy(["monitor feed:own"], own), "x.example")
    assert (verdict.action, verdict.rewrite) == (Action.MONITOR, ())


def test_row_limited_to_types():
    """R-L06."""
    rule = Rule(Match.SUFFIX, "x.example", condition=Condition(qtypes=(AAAA,)))
    policy = make_policy(["block feed:one"], listed("one", rule))
    assert not decide(policy, "x.example").is_blocked
    assert decide(policy, "x.example", qtype=AAAA).is_blocked


def test_row_limited_to_clients_splits_their_scopes():
    """R-L06: equal scopes get equal verdicts, since answers are shared within one."""
    rule = Rule(Match.SUFFIX, "x.example", condition=Condition(clients=("192.0.2.1",)))
    policy = make_policy(["block feed:one"], listed("one", rule))
    assert policy.scope_of("::ffff:192.0.2.1") == Scope(client="192.0.2.1")
    assert policy.scope_of("nonsense") == EVERYONE
    assert decide(policy, "x.example", "192.0.2.1").is_blocked
    assert not decide(policy, "x.example", "192.0.2.2").is_blocked
    assert policy.decide(name_from_text("x.example"), A, EVERYONE, NOW, client="192.0.2.1").is_blocked


def test_protected_name_is_immune_to_feeds_and_wide_rows():
    """Not to a statement on the domain, and not to an exact domain of the catalogue."""
    policy = make_policy(["block ai", "block feed:one"], listed("one", "update.example", "status.deepseek.example"))
    assert said(policy, "update.example") is None
    assert decide(policy, "status.deepseek.example").vendor is None
    assert said(policy, "x.status.deepseek.example") == "block feed:one"
    assert said(policy, "notes.cloud.example") == "block ai"
    assert said(make_policy(["block domain:update.example"]), "update.example") == "block domain:update.example"


def test_domain_of_two_products_is_reached_by_both():
    both = vendor(
        "v",
        product("v/one", domain("x.example"), categories=("chat",)),
        product("v/two", domain("x.example"), categories=("api",)),
        product("v/three", domain("x.example", opt_in=True), categories=("image",)),
    )
    for name in ("product:v/one", "product:v/two", "product:v/three", "category:chat", "category:api", "vendor:v"):
        assert said(make_policy([f"block {name}"], vendors=[both]), "x.example") == f"block {name}"
    assert said(make_policy(["block category:image"], vendors=[both]), "x.example") is None
    assert decide(make_policy(["block category:api"], vendors=[both]), "x.example").product == "v/two"


def test_most_specific_client_wins():
    """R-B12."""
    policy = make_policy(["block ai", "monitor ai for staff", "allow ai for desk"], groups=[STAFF, DESK])
    assert [said(policy, "deepseek.example", client) for client in ("198.51.100.1", "192.0.2.1", "192.0.2.7")] == [
        "block ai",
        "monitor ai",
        "allow ai",
    ]


def test_statement_for_another_group_hides_nothing():
    policy = make_policy(["block domain:example", "allow domain:a.x.example for desk"], groups=[STAFF, DESK])
    assert said(policy, "a.x.example", "192.0.2.1") == "block domain:example"
    assert said(policy, "a.x.example", "192.0.2.7") == "allow domain:a.x.example"


def test_stricter_action_wins_among_equals():
    equal = [Group("a", ("192.0.2.0/24",)), Group("b", ("192.0.2.0/24",))]
    policy = make_policy(["allow ai for a", "block ai for b", "monitor ai for a"], groups=equal)
    assert said(policy, "deepseek.example") == "block ai"
    policy = make_policy(["allow category:chat", "monitor category:code"])
    assert said(policy, "deepseek.example") == "monitor category:code"


def test_expired_statement_does_not_count():
    """Judged when the query comes, not by a timer."""
    policy = make_policy([statement(9, "allow vendor:deepseek", expires=NOW + timedelta(minutes=1)), "block ai"])
    name = name_from_text("deepseek.example")
    assert policy.decide(name, A, EVERYONE, NOW).action is Action.ALLOW
    assert policy.decide(name, A, EVERYONE, NOW + timedelta(minutes=1)).action is Action.BLOCK


def test_policy_knows_when_verdicts_end():
    first, second = NOW + timedelta(minutes=1), NOW + timedelta(hours=1)
    policy = make_policy(
        [statement(9, "allow vendor:deepseek", expires=second), statement(8, "block ai", expires=first)]
    )
    assert [policy.next_change(when) for when in (NOW, first, second)] == [first, second, None]
    assert make_policy(["block ai"]).next_change(NOW) is None


LUNCH = schedule_from_text("tue 12:30-13:30 @Europe/Berlin")
"""Until half an hour after NOW, which is 13:00 there."""


def at(policy: Policy, minutes: float) -> str:
    verdict = policy.decide(name_from_text("deepseek.example"), A, EVERYONE, NOW + timedelta(minutes=minutes))
    return f"{verdict.action} {verdict.subject}"


def test_statement_counts_while_its_schedule_holds():
    """Judged when the query comes, not by a timer."""
    policy = make_policy([statement(9, "allow vendor:deepseek", schedule=LUNCH), "block ai"])
    told = [at(policy, minutes) for minutes in (-30.01, -30, 0, 29.99, 30, 24 * 60)]
    assert told == ["block ai", *["allow vendor:deepseek"] * 3, "block ai", "block ai"]


def test_statement_with_a_schedule_expires_like_any_other():
    lunch = statement(9, "allow ai", schedule=LUNCH, expires=NOW + timedelta(minutes=1))
    policy = make_policy([lunch])
    assert [at(policy, minutes) for minutes in (0, 1)] == ["allow ai", "allow None"]
    assert policy.next_change(NOW) == lunch.expires
    assert policy.next_change(lunch.expires) is None


def test_of_several_that_hold_at_once_the_stricter_wins():
    """Also where one has no schedule: a schedule makes a statement no stronger."""
    long = schedule_from_text("tue 12:30-14:30 @Europe/Berlin")
    policy = make_policy([statement(1, "allow ai", schedule=long), statement(2, "block ai", schedule=LUNCH)])
    assert [at(policy, minutes) for minutes in (0, 45, 100)] == ["block ai", "allow ai", "allow None"]
    assert at(make_policy([statement(9, "allow ai", schedule=LUNCH), "block ai"]), 0) == "block ai"


def test_policy_knows_the_next_edge_of_all_schedules():
    """R-C21: the packet cache and the TTLs of answers end there."""
    evening = schedule_from_text("20:00-22:00 @Europe/Berlin")
    said = [
        statement(1, "allow ai", schedule=LUNCH),
        statement(2, "block ai", schedule=evening),
        statement(3, "block domain:example", expires=NOW + timedelta(hours=8)),
        statement(4, "block vendor:cloud", schedule=schedule_from_text("00:00-24:00 @UTC")),
    ]
    when, edges = NOW, []
    for _ in range(5):
        when = make_policy(said).next_change(when)
        edges.append(f"{when:%a %H:%M}")
    assert edges == ["Tue 12:30", "Tue 19:00", "Tue 20:00", "Tue 21:00", "Wed 19:00"]


def test_target_is_decided_by_domains_and_catalogue_alone():
    """R-B06: a list that names a shared CDN never counts for a name in an answer."""
    policy = make_policy(
        ["block ai", "block feed:one", "monitor domain:cdn.example"], listed("one", "shared.example", part_of_ai=True)
    )
    verdict = policy.decide_target(name_from_text("Edge.DeepSeek.example"), A, EVERYONE, NOW)
    assert (verdict.subject, verdict.vendor, verdict.via) == ("ai", "deepseek", "edge.deepseek.example")
    assert policy.decide_target(name_from_text("a.cdn.example"), A, EVERYONE, NOW).subject == "domain:cdn.example"
    assert policy.decide_target(name_from_text("shared.example"), A, EVERYONE, NOW) is NO_MATCH
    assert policy.decide_target(name_from_text("example.org"), A, EVERYONE, NOW) is NO_MATCH
    assert not policy.decide_target(name_from_text("status.deepseek.example"), A, EVERYONE, NOW).is_blocked
    bare = make_policy(["block ai"])
    assert bare.decide_target(name_from_text("example.org"), A, EVERYONE, NOW) is NO_MATCH


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.77", "block address:192.0.2.0/24"),
        ("::ffff:192.0.2.77", "block address:192.0.2.0/24"),
        ("192.0.2.9", "allow address:192.0.2.9"),
        ("198.51.100.1", None),
        ("2001:db8::5", "monitor address:2001:db8::/32"),
        ("nonsense", None),
    ],
)
def test_addresses_in_answers(address, expected):
    policy = make_policy(["block address:192.0.2.0/24", "allow address:192.0.2.9", "monitor address:2001:db8::/32"])
    verdict = policy.decide_address(address, EVERYONE, NOW)
    assert (f"{verdict.action} {verdict.subject}" if verdict.subject else None) == expected
    assert (verdict.via is None) is (expected is None)


def test_addresses_cost_nothing_where_none_is_stated():
    assert make_policy(["block ai"]).decide_address("192.0.2.1", EVERYONE, NOW) is NO_MATCH


def test_blocked_answer_of_the_most_specific_group():
    own = BlockAnswer(BlockMode.NXDOMAIN)
    groups = [Group("staff", STAFF.members, answer=own), DESK]
    policy = make_policy([], groups=groups)
    assert policy.answer_for(policy.scope_of("192.0.2.7")) == own
    assert policy.answer_for(policy.scope_of("198.51.100.1")) == BlockAnswer()


SERVER = BlockAnswer(BlockMode.NODATA, "192.0.2.250", None, ttl=20)


@pytest.mark.parametrize(
    ("before", "mode", "kept"),
    [
        (None, BlockMode.NXDOMAIN, BlockAnswer(BlockMode.NXDOMAIN, ttl=20)),
        (None, BlockMode.ADDRESS, BlockAnswer(BlockMode.ADDRESS, "192.0.2.250", None, ttl=20)),
        (
            BlockAnswer(BlockMode.NXDOMAIN),
            BlockMode.ADDRESS,
            BlockAnswer(BlockMode.ADDRESS, "192.0.2.250", None, ttl=20),
        ),
        (BlockAnswer(ipv4="192.0.2.9"), BlockMode.REFUSED, BlockAnswer(BlockMode.REFUSED, "192.0.2.9")),
        (BlockAnswer(BlockMode.REFUSED, "192.0.2.9"), BlockMode.ADDRESS, BlockAnswer(ipv4="192.0.2.9")),
        (BlockAnswer(ttl=5), BlockMode.ADDRESS, BlockAnswer(ttl=5)),
    ],
)
def test_group_that_says_its_mode_alone_keeps_no_address_of_the_server(before, mode, kept):
    assert SERVER.of_group(mode, before) == kept


@pytest.mark.parametrize(
    ("own", "page"),
    [
        (BlockAnswer(BlockMode.NXDOMAIN), "192.0.2.250"),
        (BlockAnswer(BlockMode.NODATA, "192.0.2.9", None), "192.0.2.9"),
        (BlockAnswer(), "0.0.0.0"),
    ],
)
def test_group_that_answers_with_no_address_has_the_page_of_the_server(own, page):
    """Its answer was stored when the server had no page yet, and says the mode alone; a null address was meant."""
    groups = [Group("staff", STAFF.members, answer=own)]
    policy = Policy(NameIndex.from_rules([], VENDORS), [], groups, BlockAnswer(ipv4="192.0.2.250"), 1)
    found = policy.answer_for(policy.scope_of("192.0.2.7"))
    assert (found.mode, found.ipv4) == (own.mode, page)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (statement(3, "block address:somewhere"), "statement 3 on address:somewhere"),
        (statement(3, "block domain:a..b"), "is not a name"),
        (statement(3, "block ai", expires=NOW.replace(tzinfo=None)), "has no time zone"),
    ],
)
def test_wrong_statement_makes_no_policy(wrong, why):
    with pytest.raises(PolicyError, match=why):
        Policy(NameIndex.from_rules([], VENDORS), [wrong], [], BlockAnswer(), 1)


BOOK = BrandBook(
    (Brand("deepseek", "deepseek", BrandKind.DISTINCTIVE, domains=("deepseek.example",)),), suffixes=("ai",)
)


def guarded(*texts: str, feeds=()) -> Policy:
    index = NameIndex.from_rules(feeds, VENDORS, (*PROTECTED, "deepseek-status.example"), WAYS, BOOK)
    return Policy(index, statements(*texts), (), BlockAnswer(), 1)


@pytest.mark.parametrize(
    ("name", "decided"),
    [
        ("deepseek-login.org", "monitor lookalikes"),
        ("www.deepsek.org", "monitor lookalikes"),
        ("chat.deepseek.example", "block ai"),
        ("log.shared.example", None),
        ("deepseek.evil.org", None),
        ("chat.deepseek.example-login.org", None),
        ("deepseek.example.com-login.org", "monitor lookalikes"),
        ("chat.deepseek.example.evil.org", None),
        ("deepseek-status.example", None),
        ("example.org", None),
    ],
)
def test_names_that_imitate_a_vendor_are_a_subject(name, decided):
    """Not the vendor's own names, not what is below someone's name, not protected names."""
    assert said(guarded("block ai", "monitor lookalikes"), name) == decided
    assert said(guarded("monitor ai"), "deepseek-login.org") is None


def test_imitation_is_explained_and_outranked_by_lists_and_domains():
    verdict = decide(guarded("monitor lookalikes"), "deepseek-login.org")
    assert verdict.rule == "imitates deepseek: deepseek beside login"
    assert (verdict.vendor, verdict.feed) == (None, None)
    feed = listed("phishing", "deepseek-login.org")
    policy = guarded("block feed:phishing", "monitor lookalikes", feeds=[feed])
    assert said(policy, "deepseek-login.org") == "block feed:phishing"
    known = listed("known", "deepseek-login.org", part_of_ai=True)
    assert said(guarded("block ai", "monitor lookalikes", feeds=[known]), "deepseek-login.org") == "block ai"
    assert said(guarded("block ai", "allow lookalikes", feeds=[known]), "deepseek-login.org") == "block ai"
    assert said(guarded("allow domain:org", "block lookalikes"), "deepseek-login.org") == "allow domain:org"
    losers = decide(guarded("allow domain:org", "block lookalikes"), "deepseek-login.org", explain=True).losers
    assert [(loser.subject, loser.why) for loser in losers] == [("lookalikes", "domain:org is more specific")]


def test_chains_are_not_judged_by_likeness():
    policy = guarded("block lookalikes")
    assert not policy.decide_target(
        name_from_text("deepseek-login.org"), A, policy.scope_of("192.0.2.1"), NOW
    ).is_blocked


@pytest.mark.parametrize(
    ("name", "decided"),
    [
        ("deepseek-login.org", "monitor lookalikes"),
        ("chat.deepseek.example.com-login.example", None),
        ("www.deepseek-lab.org", None),
        ("deepseek-lab.org", None),
        ("x.deepseek-labs.org", "monitor lookalikes"),
        ("chat.deepseek.example", "block ai"),
        ("bad.deepseek-lab.org", "block domain:bad.deepseek-lab.org"),
        ("listed.deepseek-lab.org", "block feed:phishing"),
    ],
)
def test_names_of_the_own_network_imitate_nobody(name, decided):
    """What a stub makes of a name by its search domain is no try; lists and statements on domains still hold."""
    feed = listed("phishing", "listed.deepseek-lab.org")
    index = NameIndex.from_rules([feed], VENDORS, PROTECTED, WAYS, BOOK)
    said_so = statements("block ai", "monitor lookalikes", "block domain:bad.deepseek-lab.org", "block feed:phishing")
    suffixes = ("com-login.example", "Deepseek-Lab.org")
    policy = Policy(index, said_so, (), BlockAnswer(), 1, suffixes=suffixes)
    assert said(policy, name) == decided
    assert policy.is_own(name_from_text(name)) is (decided is None or "deepseek-lab.org" in name)


def test_without_suffixes_no_name_is_own():
    assert not make_policy(["block ai"]).is_own(name_from_text("example.org"))


def test_verdicts_of_two_groups_are_told_apart_however_many_are_kept(monkeypatch):
    """What is kept for the domains of the catalogue is kept for each scope."""
    monkeypatch.setattr("sinkhole.policy.engine._MAX_VERDICTS", 1)
    groups = (Group("desk", ("192.0.2.7",)), Group("floor", ("192.0.2.0/26",)))
    policy = make_policy(["block ai", "monitor vendor:cloud"], groups=groups)
    for _ in range(2):
        for client, group in (("192.0.2.7", "desk"), ("192.0.2.8", "floor"), ("198.51.100.1", None)):
            for name, action in (("deepseek.example", Action.BLOCK), ("notes.cloud.example", Action.MONITOR)):
                verdict = decide(policy, name, client)
                assert (verdict.group, verdict.action) == (group, action)
                assert decide(policy, name, client) == verdict


def test_whether_addresses_are_judged_at_all():
    assert not make_policy(["block ai"]).judges_addresses(EVERYONE)
    assert make_policy(["block address:192.0.2.0/24"]).judges_addresses(EVERYONE)
