"""Write several files as one: each beside its place, all renamed, and all put back if what belongs to them fails."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def swapped(texts: Mapping[Path, str]) -> Iterator[None]:
    """Put files in place for the length of a change; if that fails, things are as they were.

    Args:
        texts: what each file is to hold; a link is replaced by a file.

    Raises:
        OSError: one cannot be written; none is then.
    """
    drafts = {path: path.with_name(f".{path.name}.new-{os.getpid()}") for path in texts}
    olds = {path: path.with_name(f".{path.name}.old-{os.getpid()}") for path in texts}
    done: list[Path] = []
    try:
        for path, draft in drafts.items():
            _write(draft, texts[path])
        for path, draft in drafts.items():
            if path.exists() or path.is_symlink():
                path.rename(olds[path])
            done.append(path)
            draft.rename(path)
        yield
    except BaseException:
        for path in reversed(done):
            path.unlink(missing_ok=True)
            if olds[path].exists() or olds[path].is_symlink():
                olds[path].rename(path)
        raise
    finally:
        for left in (*drafts.values(), *olds.values()):
            left.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", newline="\n") as file:
        if os.geteuid() == 0:  # the server may run as another user, who owns the folder
            owner = path.parent.stat()
            os.fchown(fd, owner.st_uid, owner.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
