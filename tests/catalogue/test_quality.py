"""The bounds of the catalogue's quality, measured anew where the material is at hand; pairs of neighbours always."""

import datetime as dt

import pytest

from bench.catalogue_material import Judge, Material, exactness
from bench.catalogue_quality import report
from tests.catalogue.world import shipped
from tests.shared_data import SHARED, needs_shared

PAIRS = exactness()


@pytest.mark.alone
@needs_shared
def test_bounds_hold():
    text, broken = report(shipped(), Material(SHARED), dt.datetime.now(dt.UTC).date())
    assert broken == []
    assert "## What is missed" in text


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(shipped())


@pytest.mark.parametrize(("parent", "blocked", "free"), PAIRS, ids=[f"{b} not {f}" for _, b, f in PAIRS])
def test_neighbours_are_told_apart(judge, parent, blocked, free):
    assert judge.blocks(blocked)
    assert not judge.blocks(free)


def test_there_are_pairs_enough():
    assert len(PAIRS) >= 60
    parents = [parent for parent, _, _ in PAIRS]
    assert all(parents.count(parent) >= 5 for parent in set(parents))
