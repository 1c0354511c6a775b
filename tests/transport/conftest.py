"""On the event loop that workers run on."""

from tests.worker_loop import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
