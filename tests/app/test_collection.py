"""The collector of a worker: caches that fill cause no walk over everything."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from sinkhole.app.collection import calm_collector, collect_now_and_then, set_aside


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def full_collections() -> int:
    return gc.get_stats()[2]["collections"]


def test_objects_that_stay_are_not_walked_again_and_again():
    """R-P04: an answer waits for no full collection."""
    calm_collector()
    before = full_collections()
    kept = [[number] for number in range(400_000)]
    assert full_collections() == before
    assert len(kept) == 400_000


def test_cycles_of_young_objects_are_found():
    calm_collector()
    alive = set()

    class Node:
        def __init__(self) -> None:
            alive.add(id(self))
            self.itself = self

        def __del__(self) -> None:
            alive.discard(id(self))

    for _ in range(100_000):
        Node()
    assert len(alive) < 60_000


async def test_everything_is_looked_at_now_and_then():
    before = full_collections()
    task = asyncio.create_task(collect_now_and_then(0.01))
    while full_collections() == before:
        await asyncio.sleep(0.01)
    task.cancel()


def test_what_is_set_aside_is_not_looked_at_again():
    before = gc.get_freeze_count()
    set_aside()
    assert gc.get_freeze_count() > before
