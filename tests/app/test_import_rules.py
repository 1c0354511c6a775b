"""Rules that were sorted into statements and rows say what they said there, for every name and every client."""

import datetime as dt
import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinkhole.app.import_names import Names
from sinkhole.app.import_rules import MOST_STATEMENTS, sort_rules
from sinkhole.app.import_statements import ImportedStatements
from sinkhole.catalogue.load import Catalogue, load_catalogue
from sinkhole.errors import ForeignFileError
from sinkhole.feeds.parse import parse
from sinkhole.foreign.model import Foreign, ForeignRule, Place
from sinkhole.packaged import packaged_path
from sinkhole.policy.engine import Policy
from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.judge import judge
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action, BlockAnswer
from sinkhole.protocol.names import name_from_text

PLACE = Place("file", 1)
NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
NAMES = ["a", "a.b", "x.a.b", "b", "c.b", "z.c.b", "ads1.b", "q.ads1.b", "d"]
ZONES = [f"{name}.example" for name in ("a.b", "b", "c.b", "ads1.b", "x.a.b", "d")]
CLIENTS = {"none": "192.0.2.1", "kids": "192.0.2.2", "both": "192.0.2.3", "outside": "192.0.2.4"}
"""In no group; in kids and in Default; in kids alone; in nothing."""


def rules(*, is_adguard: bool) -> st.SearchStrategy[Rule]:
    """Rules; those of AdGuard may be important, or take another away."""
    named = st.builds(
        Rule,
        st.sampled_from([Match.EXACT, Match.SUFFIX, Match.SUFFIX, Match.BELOW]),
        st.sampled_from(ZONES),
        st.sampled_from([RuleAction.BLOCK, RuleAction.BLOCK, RuleAction.ALLOW]),
        important=st.sampled_from([False, False, is_adguard]),
        disables=st.sampled_from([False] * 9 + [is_adguard]),
    )
    expressions = st.builds(
        Rule,
        st.just(Match.REGEX),
        st.sampled_from([r"^ads[0-9]", r"\.b\.example$", "^x"]),
        st.sampled_from([RuleAction.BLOCK, RuleAction.ALLOW]),
    )
    return named | named | named | expressions


def configurations() -> st.SearchStrategy[list[ForeignRule]]:
    """Rules of AdGuard, which are for all; or of Pi-hole and blocky, with groups."""
    for_all = st.builds(lambda rule: ForeignRule(rule, (None,), PLACE), rules(is_adguard=True))
    scopes = st.sampled_from([(None,), (None,), ("kids",), (None, "kids")])
    for_groups = st.builds(lambda rule, scopes: ForeignRule(rule, scopes, PLACE), rules(is_adguard=False), scopes)
    return st.lists(for_all, max_size=7) | st.lists(for_groups, max_size=7)


@functools.cache
def catalogue() -> Catalogue:
    return load_catalogue(packaged_path("blocklists"))


def imported(foreign: Foreign) -> Policy:
    """Return the policy that the rules become."""
    names = Names("there", None)
    found = sort_rules(foreign)
    statements = ImportedStatements(foreign, names, catalogue())
    for one, scope in found.statements:
        statements.add_rule(one, scope)
    lists, said = [], list(statements.beside(()))
    for number, one in enumerate(found.lists):
        feed = Feed(f"list{number}", "file:x", local=True)
        rows = [row.encode() for row in one.rows()]
        lists.append(FeedRules(feed, [row for row in parse(rows, "adblock", local=True) if isinstance(row, Rule)]))
        said.append(Statement(0, Subject(SubjectKind.FEED, feed.name), Action.BLOCK, one.scope))
        if one.scope is None and foreign.outside:
            said.append(Statement(0, Subject(SubjectKind.FEED, feed.name), Action.ALLOW, names.outside))
    groups = [Group("kids", (CLIENTS["kids"], CLIENTS["both"])), Group(names.outside, tuple(foreign.outside))]
    return Policy(NameIndex.from_rules(lists), said, groups, BlockAnswer(), 1)


def is_blocked_there(rules: list[Rule], name: str) -> bool:
    """Return whether rules block a name: as one list, by the order that AdGuard gives them."""
    index = NameIndex.from_rules([FeedRules(Feed("there", "file:x", local=True), rules)])
    wire = name_from_text(name)
    found = index.find(wire)
    outcome = judge(found.rows.get(0, []), wire, 1) if found else None
    return outcome is not None and outcome.action is RuleAction.BLOCK


@settings(max_examples=150)
@given(configurations(), st.booleans())
def test_verdicts_are_those_of_the_rules(found, has_outside):
    """A client is under the rules of all its groups together, as in Pi-hole and blocky; AdGuard has one group."""
    foreign = Foreign("there", rules=list(found))
    if has_outside:
        foreign.outside = [CLIENTS["kids"], CLIENTS["outside"]]
    policy = imported(foreign)
    for who, address in CLIENTS.items():
        scopes = {None} if who in ("none", "both") or not has_outside else set()
        scopes |= {"kids"} if who in ("kids", "both") else set()
        there = [one.rule for one in found if scopes & set(one.scopes)]
        for name in (f"{name}.example" for name in NAMES):
            verdict = policy.decide(name_from_text(name), 1, policy.scope_of(address), NOW)
            assert verdict.is_blocked is is_blocked_there(there, name), (who, name)


def test_statement_where_it_means_the_same():
    def sort(*rules: Rule):
        foreign = Foreign("there", rules=[ForeignRule(rule, (None,), PLACE) for rule in rules])
        return [one.rule.name for one, _ in sort_rules(foreign).statements]

    deny = Rule(Match.SUFFIX, "b.example")
    assert sort(deny) == ["b.example"]
    for exception in [
        Rule(Match.SUFFIX, "example", RuleAction.ALLOW),
        Rule(Match.EXACT, "a.b.example", RuleAction.ALLOW),
        Rule(Match.REGEX, "x", RuleAction.ALLOW),
    ]:
        assert "b.example" not in sort(deny, exception)
    assert sort(deny, Rule(Match.EXACT, "other.example", RuleAction.ALLOW)) == ["b.example"]
    assert sort(Rule(Match.EXACT, "b.example")) == []
    assert sort(Rule(Match.SUFFIX, "b/x.example")) == []
    assert len(sort(*(Rule(Match.SUFFIX, f"x{n}.example") for n in range(MOST_STATEMENTS)))) == MOST_STATEMENTS
    assert sort(*(Rule(Match.SUFFIX, f"x{n}.example") for n in range(MOST_STATEMENTS + 1))) == []


def test_rule_that_is_no_row_is_told():
    foreign = Foreign("there", rules=[ForeignRule(Rule(Match.REGEX, "a\nb"), (None,), PLACE)])
    assert sort_rules(foreign).lists == ()
    assert [note.why for note in foreign.notes] == ["cannot be written as a row of a list"]


@pytest.mark.parametrize(
    ("url", "hint", "name"),
    [
        ("https://raw.githubusercontent.com/StevenBlack/hosts/master/hosts", "", "x-stevenblack-hosts"),
        ("https://x.example/lists/ads.txt", "", "x-ads"),
        ("https://x.example/", "", "x-x-example"),
        ("https://x.example/filter_1.txt", "AdGuard DNS filter", "x-adguard-dns-filter"),
        ("https://x.example/%F0", "???", "x-list"),
    ],
)
def test_names_of_lists(url, hint, name):
    names = Names("x", None)
    assert names.feed(url, hint, {}) == name
    assert names.feed(url, hint, {name: url}) == name
    other = names.feed(url, hint, {name: "https://other.example"})
    assert other.startswith(f"{name}-")
    assert len(other) == len(name) + 7


def test_names_are_short_enough():
    names = Names("x", "p" * 20)
    assert len(names.feed("https://x.example/" + "y" * 300, "", {})) < 63
    assert len(names.group("g" * 50) or "") <= 63
    with pytest.raises(ForeignFileError):
        Names("x", "Not this")
