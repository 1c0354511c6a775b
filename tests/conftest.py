"""What holds for all tests: those that take minutes run only when asked for, those that time things run alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("any machine", deadline=None)  # one that hangs is ended by its time-out
settings.load_profile("any machine")

ALONE = "alone"
"""Marks tests that run alone, and names the group that xdist writes behind their ids."""

LONG = (
    "tests/e2e/", "tests/browser/", "tests/test_readme.py", "tests/test_cli_page.py", "tests/web/", "tests/cli/",
    "tests/app/", "tests/store/",
)  # fmt: skip
"""Files whose tests start servers or open stores: they take most of the time."""

ON_UVLOOP = ("tests/transport/", "tests/upstream/")
"""Folders whose tests run on the event loop of workers."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with long files, so that no process is left alone with one at the end; leave slow tests out.

    Those that run alone come last, all in one process: each that begins among others waits for what these are at, and
    who is done first waits along.

    Slow ones run with SINKHOLE_SLOW=1 alone: each has a short form that always runs.
    """
    for item in items:
        if item.nodeid.startswith(ON_UVLOOP):
            # Its loop hands no signal to what it runs: one that hangs ends its process.
            item.add_marker(pytest.mark.timeout(method="thread"))
    if os.environ.get("SINKHOLE_SLOW") != "1":
        slow = [item for item in items if item.get_closest_marker("slow")]
        if slow:
            config.hook.pytest_deselected(items=slow)
            items[:] = [item for item in items if item not in slow]
    for item in items:
        if item.get_closest_marker(ALONE):
            item.add_marker(pytest.mark.xdist_group(ALONE))
    items.sort(key=lambda item: (item.get_closest_marker(ALONE) is not None, _place(item)))


def _place(item: pytest.Item) -> int:
    return next((number for number, place in enumerate(LONG) if item.nodeid.startswith(place)), len(LONG))


class _ByFile(LoadScopeScheduling):
    """Gives each file to one process, but for tests that run alone."""

    def _split_scope(self, nodeid: str) -> str:
        return ALONE if nodeid.endswith(f"@{ALONE}") else nodeid.split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return who says which process runs what; None for another way that the command line asks for."""
    return _ByFile(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(autouse=True)
def _turn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a test marked `alone` wait until no other runs, and no other begin until it is done.

    Whoever comes first passes the gate first, so one that wants to be alone is not passed over for ever.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    shared = tmp_path_factory.getbasetemp().parent
    is_alone = request.node.get_closest_marker(ALONE) is not None
    with ExitStack() as stack:
        gate, room = (stack.enter_context((shared / name).open("w")) for name in ("gate", "room"))
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        if not is_alone:
            fcntl.flock(gate, fcntl.LOCK_UN)
        yield
