"""Shares of a core: how much of it a process may have is what bounds it then, and not who else runs there.

By the kernel's bandwidth control (cpu.max, or cpu.cfs_quota_us where groups of processes are of the first version).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PERIOD = 4000
"""Microseconds. A share is given anew so often; the least that the kernel gives is 1,000 of them."""
_MEMBERS = "cgroup.procs"
_ROOTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu"))


@contextmanager
def shared(pid: int, part: float) -> Iterator[bool]:
    """Let a process have a part of a core, a quarter at least, until the end; give False where that cannot be done."""
    group = _group(f"sinkhole-bench-{pid}-{os.getpid()}", round(part * _PERIOD))
    if group is None:
        yield False
        return
    try:
        before = group.parent / _place_of(pid, group.parent)
        (group / _MEMBERS).write_text(str(pid))
        try:
            yield True
        finally:
            with suppress(ProcessLookupError):  # it has ended
                (before / _MEMBERS).write_text(str(pid))
    finally:
        group.rmdir()


def _group(name: str, quota: int) -> Path | None:
    """Make a group of processes with so many microseconds of each period; None where we may not."""
    for root in _ROOTS:
        group = root / name
        with suppress(OSError):
            group.mkdir()
            try:
                _bound(group, quota)
            except OSError:
                group.rmdir()
            else:
                return group
    return None


def _bound(group: Path, quota: int) -> None:
    if (group / "cpu.cfs_quota_us").exists():
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    else:  # opened as it is: a file that is not there would be made in a folder that is none of the kernel's
        with (group / "cpu.max").open("r+") as file:
            file.write(f"{quota} {_PERIOD}")


def _place_of(pid: int, root: Path) -> str:
    """Return the group that a process is in, below the root of its kind."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, kinds, place = line.split(":", 2)
        if ("cpu" in kinds.split(",")) if root.name == "cpu" else not kinds:
            return place.lstrip("/")
    return ""
