"""Fixtures of the upstream tests, which run on the event loop of workers."""

from collections.abc import AsyncIterator

import pytest

from sinkhole.config.schema import UpstreamSettings
from sinkhole.upstream import Forwarder
from tests.upstream.asking import MakeForwarder
from tests.worker_loop import pytest_asyncio_loop_factories

__all__ = ["forward", "pytest_asyncio_loop_factories"]


@pytest.fixture
async def forward() -> AsyncIterator[MakeForwarder]:
    """Make forwarders from upstream addresses and settings; closed at the end."""
    made: list[Forwarder] = []

    def make(*servers: str, **settings: object) -> Forwarder:
        own = {key: settings.pop(key) for key in ("listen", "resolv_conf", "bootstrap", "clock") if key in settings}
        forwarder = Forwarder(UpstreamSettings(servers=servers, **settings), **own)  # type: ignore[arg-type]
        made.append(forwarder)
        return forwarder

    yield make
    for forwarder in made:
        await forwarder.close()
