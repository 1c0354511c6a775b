"""A folder that is made anew beside the old one and then takes its place, so that nobody sees half of it.

Only a folder that an earlier export made, and that holds nothing else, is ever replaced.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sinkhole.app.catalogue_export import SIGNATURE
from sinkhole.errors import CatalogueError

MARKER: Final = ".sinkhole-export"
"""Lists the files of an export, one a line; it tells our folders from those of others."""
_TOLD: Final = 3


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Give a new, empty folder beside `folder` that takes its place when all went well, else is gone.

    Raises:
        CatalogueError: `folder` holds something that no export wrote, or cannot be replaced.
    """
    folder = folder.resolve()
    _check(folder)
    new = _beside(folder)
    try:
        yield new
        files = sorted(str(path.relative_to(new)) for path in new.rglob("*") if path.is_file())
        (new / MARKER).write_text("".join(f"{file}\n" for file in files), encoding="utf-8")
        # mkdtemp makes it for its owner alone, but the files are there to be read.
        new.chmod(0o755)
        _check(folder)
        _swap(folder, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _check(folder: Path) -> None:
    """See that `folder` is absent, empty, or as an export left it; a signature that was added since is no matter."""
    if not folder.exists():
        return
    if folder.is_symlink() or not folder.is_dir():
        raise CatalogueError(f"{folder}: is no folder")
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    if not found and not any(folder.iterdir()):
        return
    if MARKER not in found:
        raise CatalogueError(f"{folder}: is not empty, and was not made by an export; name another folder")
    try:
        ours = {*(folder / MARKER).read_text(encoding="utf-8").splitlines(), MARKER, SIGNATURE}
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{folder / MARKER}: cannot be read, so what the folder holds is not known") from error
    if strange := sorted(found - ours):
        some = ", ".join(strange[:_TOLD]) + (" …" if len(strange) > _TOLD else "")
        raise CatalogueError(f"{folder}: holds what no export wrote and would be lost: {some}")


def _beside(folder: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise CatalogueError(f"{folder.parent}: cannot be written: {error.strerror}") from error


def _swap(folder: Path, new: Path) -> None:
    """Put `new` in the place of `folder`: two renames, since no one call of Python exchanges folders."""
    old = new.with_name(new.name + "-old")
    try:
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    except OSError as error:
        raise CatalogueError(f"{folder}: cannot be replaced: {error.strerror}") from error
    shutil.rmtree(old, ignore_errors=True)
