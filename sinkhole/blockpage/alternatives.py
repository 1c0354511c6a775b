"""What may be used instead: what the settings name, and products like the blocked one that policy allows the client."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sinkhole.blockpage.facts import Facts
from sinkhole.blockpage.ruling import Ruling
from sinkhole.policy.verdict import Action, Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType

MOST = 6
"""Alternatives that are shown; more would be no advice."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Something to use instead: its name, where it is, and its categories where it is a product."""

    name: str
    url: str
    categories: tuple[str, ...] = ()


def alternatives(ruling: Ruling, named: Sequence[str], facts: Facts, when: datetime) -> tuple[Alternative, ...]:
    """Return what this client may use in place of the blocked name, the best first.

    Approved is what somebody approved: the settings, or a statement or exception that allows it. What no statement is
    about is not blocked, but nobody said that it should be used.

    Args:
        named: the setting `block_page.alternatives`.
        when: aware time.
    """
    found = {one.url: one for one in (*_named(ruling, named, facts, when), *_allowed(ruling, facts, when))}
    return tuple(found.values())[:MOST]


def _named(ruling: Ruling, named: Sequence[str], facts: Facts, when: datetime) -> Iterator[Alternative]:
    for text in named:
        name, _, url = text.rpartition(" ")
        if name:
            yield Alternative(name, url)
        elif text in facts.products and text != ruling.verdict.product:
            verdict = _verdict(ruling, text, facts, when)
            if verdict is not None and not verdict.is_blocked:
                yield _alternative(text, facts)


def _allowed(ruling: Ruling, facts: Facts, when: datetime) -> Iterator[Alternative]:
    wanted = set(ruling.verdict.categories)
    alike = [
        (-len(wanted.intersection(product.categories)), product.name.casefold(), key)
        for key, product in facts.products.items()
        if product.host is not None and key != ruling.verdict.product and not wanted.isdisjoint(product.categories)
    ]
    for _, _, key in sorted(alike):
        verdict = _verdict(ruling, key, facts, when)
        if verdict is not None and _is_approved(verdict):
            yield _alternative(key, facts)


def _is_approved(verdict: Verdict) -> bool:
    is_stated = verdict.action is Action.ALLOW and verdict.statement is not None
    return is_stated or (verdict.override or "").startswith("exception:")


def _verdict(ruling: Ruling, product: str, facts: Facts, when: datetime) -> Verdict | None:
    host = facts.products[product].host
    return None if host is None else ruling.policy.decide(name_from_text(host), QType.A, ruling.scope, when)


def _alternative(product: str, facts: Facts) -> Alternative:
    found = facts.products[product]
    return Alternative(found.name, f"https://{found.host}/", found.categories)
