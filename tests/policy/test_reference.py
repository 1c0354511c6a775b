"""The engine says what a slow and separate reading of the rules says, over random worlds and times."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product as every
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinkhole.policy.bypass import Bypass
from sinkhole.policy.engine import Policy
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Vendor
from sinkhole.policy.verdict import Action, BlockAnswer
from sinkhole.protocol.names import name_from_text
from tests.policy import reference, world
from tests.policy.reference import World

WORLDS, PARTS, ASKED, TIMES = 500, 5, 12, 5
"""With four clients 120,000 cases."""
CLIENTS = ("192.0.2.7", "192.0.2.77", "198.51.100.1", "2001:db8::7")

LABELS = ("a", "b", "c")
NETWORKS = ("192.0.2.7/32", "192.0.2.0/26", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "2001:db8::7/128", "::/0")
CATEGORIES, COUNTRIES, VENDOR_IDS, WAY_IDS = ("chat", "api", "code"), ("CN", "US"), ("v1", "v2", "v3"), ("w1", "w2")
SCHEDULES = (
    "mon-fri 08:00-12:00,13:00-17:30 @Europe/Berlin", "22:00-06:00 @America/New_York", "sat,sun 00:00-24:00 @UTC",
    "2026-10-20..2026-10-26 00:00-24:00 @Europe/London", "02:00-03:00 @Europe/Berlin",
)  # fmt: skip
SATURDAY = datetime(2026, 10, 24, tzinfo=UTC)
"""The clocks of Europe are set back the night after."""


def name_of(random: Random, labels: Sequence[str] = LABELS) -> str:
    return ".".join([*(random.choice(labels) for _ in range(random.randint(0, 3))), random.choice(("x", "y"))])


def domain_of(random: Random) -> CatalogueDomain:
    match = random.choice(list(DomainMatch))
    name = name_of(random)
    if match is DomainMatch.WILDCARD:
        name = ".".join([random.choice(LABELS), "*", name] if random.random() < 0.5 else ["*", name])
    return world.domain(name, match, opt_in=random.random() < 0.2)


def domains_of(random: Random) -> tuple[CatalogueDomain, ...]:
    found = {domain.name: domain for domain in (domain_of(random) for _ in range(random.randint(1, 3)))}
    return tuple(found.values())


def vendor_of(random: Random, vendor_id: str) -> Vendor:
    products = [
        world.product(
            f"{vendor_id}/p{n}",
            *domains_of(random),
            categories=tuple(random.sample(CATEGORIES, random.randint(1, 2))),
            serves=tuple(v for v in VENDOR_IDS if v != vendor_id and random.random() < 0.2),
        )
        for n in range(random.randint(1, 2))
    ]
    return world.vendor(
        vendor_id,
        *products,
        jurisdiction=random.choice(COUNTRIES),
        not_default=random.random() < 0.3,
        never=tuple(name_of(random) for _ in range(random.randint(0, 1))),
    )


def way_of(random: Random, way_id: str) -> Bypass:
    categories = tuple(random.sample(CATEGORIES, random.randint(0, 1)))
    return Bypass(way_id, way_id, "A way.", domains_of(random), part_of_ai=random.random() < 0.5, categories=categories)


def feed_of(random: Random, name: str) -> FeedRules:
    rows = [
        Rule(
            random.choice([Match.EXACT, Match.SUFFIX, Match.BELOW]),
            name_of(random),
            random.choice([RuleAction.BLOCK, RuleAction.BLOCK, RuleAction.ALLOW]),
            random.random() < 0.2,
            line=line,
        )
        for line in range(1, random.randint(1, 5))
    ]
    return world.listed(name, *rows, part_of_ai=random.random() < 0.5, local=random.random() < 0.5)


def groups_of(random: Random) -> list[Group]:
    return [
        Group(f"g{n}", tuple(random.sample(NETWORKS, random.randint(1, 3))), order=random.choice((1, 1, 2)))
        for n in range(random.randint(0, 4))
    ]


def subject_of(random: Random) -> str:
    vendor = random.choice(VENDOR_IDS)
    return random.choice((
        "ai", "ai", f"vendor:{vendor}", f"models:{vendor}", f"product:{vendor}/p{random.randint(0, 1)}",
        f"category:{random.choice(CATEGORIES)}", f"jurisdiction:{random.choice(COUNTRIES)}",
        f"bypass:{random.choice(WAY_IDS)}", f"feed:{random.choice(('one', 'two'))}", f"domain:{name_of(random)}",
    ))  # fmt: skip


def statements_of(random: Random, groups: Sequence[Group]) -> list[Statement]:
    return [
        Statement(
            number,
            Subject.from_text(subject_of(random)),
            random.choice(list(Action)),
            random.choice([None, *(group.name for group in groups)]),
            expires=SATURDAY + timedelta(hours=random.randint(0, 72)) if random.random() < 0.2 else None,
            schedule=schedule_from_text(random.choice(SCHEDULES)) if random.random() < 0.4 else None,
        )
        for number in range(1, random.randint(2, 12))
    ]


def override_of(random: Random, number: int, groups: Sequence[Group], stated: Sequence[Statement]) -> Override:
    """Make an override; half of those about anything are about what statements are about."""
    kind = random.choice(list(OverrideKind))
    least = 0 if kind is OverrideKind.PAUSE else 1
    subjects = [Subject.from_text(subject_of(random)) for _ in range(random.randint(least, 2))]
    if stated and random.random() < 0.5:
        subjects[:1] = [random.choice(stated).subject]
    ends = SATURDAY + timedelta(hours=random.randint(0, 96))
    is_of_client = kind is OverrideKind.GRANT or (kind is OverrideKind.EXCEPTION and random.random() < 0.5)
    return Override(
        kind,
        number,
        tuple(subjects),
        ends,
        begins=random.choice([None, ends - timedelta(hours=random.randint(1, 48))]),
        client=random.choice(CLIENTS) if is_of_client else None,
        group=None if is_of_client else random.choice([None, *(group.name for group in groups)]),
    )


def world_of(random: Random) -> World:
    groups = groups_of(random)
    stated = statements_of(random, groups)
    overrides = [override_of(random, number, groups, stated) for number in range(random.choice((0, 0, 2, 6)))]
    return World(
        vendors=[vendor_of(random, vendor_id) for vendor_id in VENDOR_IDS],
        ways=[way_of(random, way_id) for way_id in WAY_IDS],
        protected=[name_of(random) for _ in range(2)],
        feeds=[feed_of(random, "one"), feed_of(random, "two")],
        groups=groups,
        statements=stated,
        overrides=overrides,
    )


@pytest.mark.thousands
@pytest.mark.parametrize("part", range(PARTS))
@settings(max_examples=WORLDS // PARTS, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**64))
def test_engine_decides_as_the_reference(part, seed):
    """R-B09: 120,000 cases, in parts, each of which has its own worlds and time."""
    random = Random(f"{part} {seed}")  # hypothesis drawing each choice by itself would take minutes
    made = world_of(random)
    index = NameIndex.from_rules(made.feeds, made.vendors, made.protected, made.ways)
    policy = Policy(index, made.statements, made.groups, BlockAnswer(), 1, overrides=made.overrides)
    names = [name_of(random, ("a", "b", "c", "d")) for _ in range(ASKED)]
    times = [SATURDAY + timedelta(minutes=random.randint(0, 72 * 60)) for _ in range(TIMES)]
    for name, client, when in every(names, CLIENTS, times):
        verdict = policy.decide(name_from_text(name), world.A, policy.scope_of(client), when)
        action, numbers, overruling = reference.decide(made, name, client, when)
        case = f"{name} for {client} at {when}, world {part} {seed}"
        assert verdict.action is action, case
        assert verdict.statement in (numbers or {None}), case
        assert verdict.override == overruling, case
