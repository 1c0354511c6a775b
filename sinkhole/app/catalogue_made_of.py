"""What the catalogue in force is made of, so that it is kept as long as nothing of that has changed.

It is looked at each time, by name, size and times of files, so a change is seen at once: the snapshots of signed feeds,
all feeds, vendor files of this network, settings and the day. The 1,800 files of this installation are looked at one
time in a process: whoever installs others starts anew.
"""

import datetime as dt
import os
from collections.abc import Hashable, Sequence
from functools import cache
from pathlib import Path

from sinkhole.app.local_vendors import Files
from sinkhole.config.schema import Settings
from sinkhole.packaged import packaged_path
from sinkhole.policy.feed import Feed, FeedState

Standing = Sequence[tuple[Feed, FeedState]]


def made_of(settings: Settings, standing: Standing, snapshots: Path, files: Files) -> Hashable:
    """Return a value that changes with anything that the catalogue in force is made of.

    Args:
        standing: all feeds and how they stand.
        snapshots: folder of their versions.
        files: vendor files of this network.
    """
    return (
        _look_of_shipped(packaged_path("blocklists")),
        tuple(
            (feed, state.version, _looks_below(snapshots / feed.name) if feed.key is not None else None)
            for feed, state in standing
        ),
        tuple(sorted(files.items())),
        (settings.upstream.servers, settings.blocking.ipv4, settings.blocking.ipv6),
        dt.datetime.now(dt.UTC).date(),
    )


@cache
def _look_of_shipped(folder: Path) -> Hashable:
    return tuple(_look_of(part) for part in (folder, folder / "vendors", folder / "bypass"))


def _looks_below(folder: Path) -> Hashable:
    """Return the look of a folder, and of the folders in it."""
    try:
        inner = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return None
    return _look_of(folder), tuple(_look_of(Path(path)) for path in inner)


def _look_of(folder: Path) -> Hashable:
    """Return name, size and times of what is in a folder."""
    try:
        found = [(entry.name, entry.stat()) for entry in os.scandir(folder)]
    except OSError as error:
        return error.errno
    return frozenset((name, look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns) for name, look in found)
