"""Shares of a core: how much of it a process may have is what bounds it then, and not who else runs there.

By the kernel's bandwidth control (cpu.max, or cpu.cfs_quota_us where groups of processes are of the first version).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PERIOD = 4000
"""Microseconds. A share is given anew so often; the least that the kernel gives is 1,000 of them."""
_ROOTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu"))


@contextmanager
def shared(pid: int, part: float) -> Iterator[bool]:
    """Let a process have a part of a core, a quarter at least, until the end; give False where that cannot be done."""
    group = _group(f"sinkhole-bench-{pid}")
    if group is None:
        yield False
        return
    try:
        quota = round(part * _PERIOD)
        if (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        (group / "cgroup.procs").write_text(str(pid))
        yield True
    finally:
        with suppress(ProcessLookupError):  # it has ended
            (group.parent / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def _group(name: str) -> Path | None:
    """Make a group of processes whose time can be bounded; None where we may not."""
    for root in _ROOTS:
        group = root / name
        try:
            group.mkdir()
        except OSError:
            continue
        if os.access(group / "cpu.max", os.W_OK) or os.access(group / "cpu.cfs_quota_us", os.W_OK):
            return group
        group.rmdir()
    return None
