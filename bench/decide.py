"""What one verdict costs, with the whole catalogue, 50 groups and 200 statements.

    python -m bench.decide

Every name is decided once, so nothing of it was seen before. Prints microseconds: median and 99th percentile.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from statistics import quantiles

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.default import default_statements
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.image import NameIndex
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.vendor import DomainMatch
from sinkhole.policy.verdict import Action, BlockAnswer
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType

GROUPS, STATEMENTS, NAMES = 50, 200, 20_000
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
_SCHEDULE = "mon-fri 08:00-12:00,13:00-17:30 @Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of one verdict over many names: the median and the 99th percentile."""

    median: float
    p99: float


def policy_of(catalogue: Catalogue, random: Random) -> Policy:
    """Return a policy as a large company might have it: the defaults and statements of all kinds on all groups."""
    groups = [Group(f"g{n}", (f"10.{n}.0.0/16", "10.0.0.0/8"), order=n % 7) for n in range(GROUPS)]
    subjects = [f"vendor:{vendor.id}" for vendor in catalogue.vendors]
    subjects += [f"category:{category}" for category in catalogue.categories]
    subjects += [f"jurisdiction:{country}" for country in catalogue.jurisdictions]
    subjects += [f"domain:d{n}.example" for n in range(200)]
    default = default_statements(catalogue.bypass)
    more = [
        Statement(
            1000 + n,
            Subject.from_text(random.choice(subjects)),
            random.choice(list(Action)),
            random.choice([None, *(group.name for group in groups)]),
            schedule=schedule_from_text(_SCHEDULE) if n % 5 == 0 else None,
        )
        for n in range(STATEMENTS - len(default))
    ]
    index = NameIndex.from_rules((), catalogue.vendors, catalogue.never_block, catalogue.bypass, catalogue.brand_book)
    return Policy(index, (*default, *more), groups, BlockAnswer(), 1)


def innocent(random: Random) -> Iterator[str]:
    """Yield names that nothing is known of, in the form of what networks ask for."""
    words = ("mail", "cdn", "static", "img", "news", "shop", "login", "api", "update", "www")
    for number in range(NAMES):
        labels = [random.choice(words), f"{random.choice(words)}{number}", random.choice(("example", "invalid"))]
        yield ".".join(labels[random.randint(0, 1) :])


def of_catalogue(catalogue: Catalogue, random: Random) -> Iterator[str]:
    """Yield names below the domains of the catalogue."""
    domains = [
        domain.name
        for vendor in catalogue.vendors
        for product in vendor.products
        for domain in product.domains
        if domain.match is DomainMatch.SUFFIX
    ]
    for number in range(NAMES):
        yield f"h{number}.{random.choice(domains)}"


def cost(policy: Policy, names: Sequence[bytes], scope: Scope) -> Cost:
    """Decide each name once."""
    taken = []
    clock: Callable[[], int] = time.perf_counter_ns
    for name in names:
        began = clock()
        policy.decide(name, QType.A, scope, NOON)
        taken.append(clock() - began)
    steps = quantiles(taken, n=100)
    return Cost(steps[49] / 1000, steps[98] / 1000)


def costs() -> dict[str, Cost]:
    """Return the cost of a verdict for each kind of name."""
    random = Random(1)
    catalogue = shipped_catalogue()
    policy = policy_of(catalogue, random)
    scope = policy.scope_of("10.7.0.1")
    kinds = {"a name that nothing knows": innocent(random), "a name of the catalogue": of_catalogue(catalogue, random)}
    return {kind: cost(policy, [name_from_text(name) for name in names], scope) for kind, names in kinds.items()}


def main() -> None:
    """Print the table."""
    print(f"{GROUPS} groups, {STATEMENTS} statements, {NAMES} names of each kind, each once; microseconds")
    for kind, found in costs().items():
        print(f"{kind:28} median {found.median:5.1f}  p99 {found.p99:5.1f}")


if __name__ == "__main__":
    main()
