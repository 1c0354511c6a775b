"""Fixtures of the upstream tests."""

from collections.abc import AsyncIterator

import pytest

from sinkhole.config.schema import UpstreamSettings
from sinkhole.upstream import Forwarder
from tests.upstream.asking import MakeForwarder


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
