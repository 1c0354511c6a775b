"""The event loop that workers run on, for the tests whose `conftest` takes this hook."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Have tests run on it (pytest-asyncio)."""
    return {"uvloop": uvloop.new_event_loop}
