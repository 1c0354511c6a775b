"""The shipped catalogue as policy, for tests of facts."""

import datetime as dt
from functools import cache

from sinkhole.catalogue.load import Catalogue, load_catalogue
from sinkhole.packaged import packaged_path
from sinkhole.policy.engine import Policy
from sinkhole.policy.image import NameIndex
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType

NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@cache
def shipped() -> Catalogue:
    """Return the catalogue of this checkout."""
    return load_catalogue(packaged_path("blocklists"))


@cache
def blocking(*subjects: str) -> Policy:
    """Return the policy that blocks `subjects` for all, with no list but the catalogue."""
    known = shipped()
    statements = [Statement(n, Subject.from_text(text), Action.BLOCK) for n, text in enumerate(subjects, 1)]
    index = NameIndex.from_rules((), known.vendors, known.never_block, known.bypass, known.brand_book)
    return Policy(index, statements, (), BlockAnswer(), 1)


def verdict(name: str, *subjects: str) -> Verdict:
    """Return what happens to `name` where `subjects` are blocked."""
    policy = blocking(*subjects)
    return policy.decide(name_from_text(name), QType.A, policy.scope_of("192.0.2.1"), NOON)


def is_blocked(name: str, *subjects: str) -> bool:
    """Whether `name` is blocked where `subjects` are."""
    return verdict(name, *subjects).action is Action.BLOCK
