"""Write several files as one: each beside its place, all renamed, and all put back if what belongs to them fails.

A journal beside them says what was there, so that a process that was killed half way can be cleaned up after.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_Places = list[tuple[Path, Path, Path | None]]
"""Of each file its place, where it is drafted, and where what was there before is kept; None where nothing was."""


@contextmanager
def swapped(texts: Mapping[Path, str], journal: Path, token: str) -> Iterator[None]:
    """Put files in place for the length of a change; if that fails, things are as they were.

    At each moment each file is there, as it was or as it is to be.

    Args:
        texts: what each file is to hold; a link is replaced by a file.
        journal: where it is noted meanwhile; for one change at a time.
        token: by which `clean_up` asks whether the change was made.

    Raises:
        OSError: one cannot be written; none is then.
    """
    places: _Places = []
    for path in texts:
        old = path.with_name(f".{path.name}.old-{token}") if path.exists() or path.is_symlink() else None
        places.append((path, path.with_name(f".{path.name}.new-{token}"), old))
    try:
        for path, draft, old in places:
            _write(draft, texts[path])
            if old is not None:
                _keep(path, old)
        _begin(journal, token, places)
    except BaseException:
        _forget(places, journal)
        raise
    try:
        for path, draft, _ in places:
            draft.rename(path)
        yield
    except BaseException:
        _put_back(places)
        raise
    finally:
        _forget(places, journal)


def clean_up(journal: Path, is_made: Callable[[str], bool]) -> bool:
    """Put back what a killed process left half done, or tidy up after one that was done; return whether there was one.

    Args:
        is_made: says of a token whether what belongs to the files was made.

    Raises:
        OSError: a file cannot be put back.
    """
    try:
        token, rows = json.loads(journal.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    places = [(Path(path), Path(draft), None if old is None else Path(old)) for path, draft, old in rows]
    if not is_made(token):
        _put_back(places)
    _forget(places, journal)
    return True


def _begin(journal: Path, token: str, places: _Places) -> None:
    """Write the journal in one step: where it is, all drafts and all that is kept are whole."""
    draft = journal.with_name(f"{journal.name}.new-{token}")
    rows = [[None if one is None else str(one) for one in place] for place in places]
    try:
        _write(draft, json.dumps([token, rows]))
        draft.rename(journal)
    finally:
        draft.unlink(missing_ok=True)


def _keep(path: Path, old: Path) -> None:
    try:
        os.link(path, old, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(path, old, follow_symlinks=False)


def _put_back(places: _Places) -> None:
    for path, draft, old in reversed(places):
        if draft.exists():
            continue  # its place was not touched yet
        if old is None:
            path.unlink(missing_ok=True)
        elif old.exists() or old.is_symlink():
            old.rename(path)


def _forget(places: _Places, journal: Path) -> None:
    for _, draft, old in places:
        draft.unlink(missing_ok=True)
        if old is not None:
            old.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", newline="\n") as file:
        if os.geteuid() == 0:  # the server may run as another user, who owns the folder
            owner = path.parent.stat()
            os.fchown(fd, owner.st_uid, owner.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
