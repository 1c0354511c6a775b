"""Lists of the administrator's own disk: read from the list folder only, wherever symbolic links lead (R-F05)."""

import os
import stat
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from sinkhole.errors import FeedError
from sinkhole.feeds.body_file import BodyFile

_STEP: Final = 1 << 20


def path_of(url: str) -> str:
    """Return the path in a `file:` URL (RFC 8089): `file:list.txt`, `file:/lists/x`, `file:///lists/x`.

    Raises:
        FeedError: it names another host.
    """
    rest = url.partition("#")[0][len("file:") :]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise FeedError("a file: URL names a file of this machine, not of another host")
        rest = slash + path
    return unquote(rest)


def expect_inside(path: str, list_dir: Path) -> None:
    """Refuse a path that can never be read; whether there is a file is seen when it is.

    Raises:
        FeedError: it is outside the folder, or the folder itself.
    """
    if _resolved(path, list_dir, is_there=False) == list_dir.resolve():
        raise FeedError(f"wanted file:NAME of a file in the list folder {list_dir}")


def copy_list(path: str, list_dir: Path, body: BodyFile) -> None:
    """Copy the list at `path` (relative to `list_dir`, or absolute and below it) into `body`.

    Raises:
        FeedError: it is outside the folder, not an ordinary file, unreadable or too large.
    """
    found = _resolved(path, list_dir, is_there=True)
    try:
        # A pipe or a device must neither hang us nor be read; the link was resolved, so none may come in its place.
        fd = os.open(found, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor has no path
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise FeedError(f"the list file {path!r} is not an ordinary file")
            while data := file.read(_STEP):
                body.write(data)
    except OSError as error:
        raise FeedError(f"the list file {path!r} cannot be read: {error.strerror}") from error


def _resolved(path: str, list_dir: Path, *, is_there: bool) -> Path:
    try:
        folder = list_dir.resolve(strict=is_there)
        found = (folder / path).resolve(strict=is_there)
    except (OSError, RuntimeError, ValueError) as error:
        raise FeedError(f"the list file {path!r} is not in the list folder {list_dir}") from error
    if not found.is_relative_to(folder):
        raise FeedError(f"the list file {path!r} is outside the list folder {list_dir}")
    return found
