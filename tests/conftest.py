"""What holds for all tests: those that take minutes run only when asked for."""

import os

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow tests out unless SINKHOLE_SLOW=1 is set: each has a short form that always runs."""
    if os.environ.get("SINKHOLE_SLOW") == "1":
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
