"""Names of one spot get the same verdict: over random worlds, and one case for each reason that there is no spot."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE
from sinkhole.policy.image import NameIndex
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer
from sinkhole.protocol.names import name_from_text, reversed_key
from tests.policy import world
from tests.policy.test_reference import CLIENTS, SATURDAY, name_of, world_of

WORLDS, ASKED = 300, 40


@pytest.mark.thousands
@settings(max_examples=WORLDS, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**64))
def test_names_of_one_spot_are_decided_alike(seed):
    random = Random(seed)
    made = world_of(random)
    looks = [
        Statement(90 + n, Subject.from_text(subject), random.choice(list(Action)))
        for n, subject in enumerate(("lookalikes", "unreviewed"))
    ]
    index = NameIndex.from_rules(made.feeds, made.vendors, made.protected, made.ways)
    policy = Policy(index, [*made.statements, *looks], made.groups, BlockAnswer(), 1, overrides=made.overrides)
    names = [name_from_text(name_of(random, ("a", "b", "c", "d", "v1-login", "v2"))) for _ in range(ASKED)]
    for client in CLIENTS:
        scope = policy.scope_of(client)
        seen = {}
        for name in names:
            key = reversed_key(name)
            spot = policy.spot(name, key, scope)
            verdict = policy.decide(name, world.A, scope, SATURDAY)
            assert verdict == policy.decide(name, world.A, scope, SATURDAY, key=key)
            if spot is not None and policy.is_of_spot(verdict):
                plain = replace(verdict, rule=None, line=None)
                assert seen.setdefault(spot, plain) == plain, f"{name} for {client}, world {seed}"


def spot_of(*rules: Rule, name: str = "x.ads.example", said: tuple[Statement, ...] = (), **options):
    index = NameIndex.from_rules(
        [world.listed("one", *rules, part_of_ai=True, local=True)], world.VENDORS, world.PROTECTED
    )
    policy = Policy(index, said, (), BlockAnswer(), 1, **options)
    wire = name_from_text(name)
    return policy.spot(wire, reversed_key(wire), EVERYONE)


SUFFIX = Rule(Match.SUFFIX, "ads.example", RuleAction.BLOCK, line=1)


def test_a_name_that_nothing_knows_has_no_spot():
    assert spot_of(SUFFIX, name="example.org") is None


def test_lines_make_no_difference_and_being_named_does():
    other = replace(SUFFIX, name="other.example", line=9)
    assert spot_of(SUFFIX) == spot_of(other, name="a.b.other.example") is not None
    assert spot_of(SUFFIX) != spot_of(SUFFIX, name="ads.example")


@pytest.mark.parametrize(
    "rule",
    [
        replace(SUFFIX, condition=Condition((28,), (), (), ())),
        replace(SUFFIX, match=Match.REGEX, name="ads"),
        replace(SUFFIX, match=Match.MASK, name="*.ads.example"),
        replace(SUFFIX, action=RuleAction.REWRITE, rewrite="A 192.0.2.1"),
    ],
)
def test_rows_that_ask_for_more_than_the_name_have_none(rule):
    assert spot_of(SUFFIX) is not None
    assert spot_of(SUFFIX, rule) is None


def test_wildcards_of_the_catalogue_have_none():
    assert spot_of(name="model.eu.cloud.example") is None


def test_statements_on_domains_are_part_of_it():
    said = (Statement(1, Subject.from_text("domain:deep.ads.example"), Action.ALLOW),)
    assert spot_of(SUFFIX, said=said) == spot_of(SUFFIX)
    assert spot_of(SUFFIX, name="x.deep.ads.example", said=said) != spot_of(SUFFIX, name="x.deep.ads.example")


@pytest.mark.parametrize(("subject", "has_spot"), [("lookalikes", False), ("unreviewed", False), ("ai", True)])
def test_overrides_about_looks_leave_none(subject, has_spot):
    override = world.override(f"exception {subject}")
    assert (spot_of(SUFFIX, overrides=(override,)) is not None) is has_spot


def test_verdicts_about_looks_or_links_are_of_no_spot():
    verdict = world.decide(world.make_policy(["block ai"]), "deepseek.example")
    assert Policy.is_of_spot(verdict)
    assert not Policy.is_of_spot(replace(verdict, subject="lookalikes"))
    assert not Policy.is_of_spot(replace(verdict, via="cdn.example"))
