from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.resolver.world import World


@pytest.fixture
async def make_world() -> AsyncIterator[Callable[..., World]]:
    """Make worlds, and end their tasks when the test is over."""
    made: list[World] = []

    def make(**options: Any) -> World:
        made.append(World(**options))
        return made[-1]

    yield make
    for world in made:
        await world.chain.close()
