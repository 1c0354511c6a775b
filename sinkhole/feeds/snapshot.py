"""Snapshots: every version of a list that was taken over or is held, in a folder of its own, complete or not at all.

    FOLDER/hagezi-doh/7/body  includes/  signature  rules  rejections.json  meta.json

A version is written beside the others, brought to disk, and then renamed to its number: no moment and no crash leaves
half of one (R-F02). `meta.json` has the checksums; a version that does not match them is never loaded (R-F10).
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from sinkhole.errors import FeedError
from sinkhole.feeds.diff import Diff, compare
from sinkhole.feeds.rule_row import read_row
from sinkhole.feeds.snapshot_files import BODY, REJECTIONS, RULES, SIGNATURE
from sinkhole.policy.rule import Rejection, Rule

_META: Final = "meta.json"
_REFUSED: Final = "refused"
_LOCK: Final = "lock"
_DRAFT: Final = ".draft-"
_IS_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z").match


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known of a version.

    Attributes:
        created: when it was fetched, ISO 8601 in UTC.
        source: SHA-256 of what was fetched, the body and what it includes.
        checksums: SHA-256 of the files, by name.
        manner: digest of where it was fetched from and how it was read.
        held: why it waits for approval; empty when it was taken over.
        publication: number that a signed one bears.
        key: that it is signed with.
    """

    created: str
    source: str
    checksums: dict[str, str]
    manner: str
    format: str
    size: int
    rules: int
    rejected: int
    protected: int
    etag: str | None = None
    last_modified: str | None = None
    held: tuple[str, ...] = ()
    publication: int | None = None
    key: str | None = None


class Snapshots:
    """The snapshots of all feeds, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def versions(self, name: str) -> list[int]:
        """Return the numbers of the versions of a feed, the oldest first."""
        folder = self._of(name)
        if not folder.is_dir():
            return []
        return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())

    def path(self, name: str, version: int) -> Path:
        """Return the folder of a version."""
        return self._of(name) / str(version)

    def meta(self, name: str, version: int) -> Meta:
        """Return what is known of a version.

        Raises:
            FeedError: there is no such version, or it is broken.
        """
        path = self.path(name, version) / _META
        try:
            found = json.loads(path.read_bytes())
            return Meta(**{**found, "held": tuple(found["held"])})
        except FileNotFoundError as error:
            raise FeedError(f"feed {name} has no version {version}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FeedError(f"feed {name}: version {version} is broken: its {_META} cannot be read") from error

    def verify(self, name: str, version: int) -> Meta:
        """Return what is known of a version once its files match their checksums.

        Raises:
            FeedError: there is no such version, or it is broken.
        """
        meta = self.meta(name, version)
        for file, checksum in meta.checksums.items():
            if _checksum(self.path(name, version) / file) != checksum:
                raise FeedError(f"feed {name}: version {version} is broken: {file} is not what was written")
        return meta

    def is_whole(self, name: str, version: int) -> bool:
        """Return whether there is such a version and its files match their checksums."""
        try:
            self.verify(name, version)
        except FeedError:
            return False
        return True

    def older(self, name: str, version: int) -> int | None:
        """Return the newest whole version before this one that was in force and was not gone back from."""
        for candidate in reversed(self.versions(name)):
            if (
                candidate < version
                and self.is_whole(name, candidate)
                and not self.meta(name, candidate).held
                and not self.is_refused(name, candidate)
            ):
                return candidate
        return None

    def rules(self, name: str, version: int) -> Iterator[Rule]:
        """Return the rules of a version, read while they are asked for.

        Raises:
            FeedError: there is no such version, or it is broken; before the first rule.
        """
        self.verify(name, version)
        return self._stream(name, version)

    def rejections(self, name: str, version: int) -> list[Rejection]:
        """Return the rejections of a version that were kept, protected rows first.

        Raises:
            FeedError: there is no such version, or it is broken.
        """
        self.verify(name, version)
        return [Rejection(**row) for row in json.loads((self.path(name, version) / REJECTIONS).read_bytes())]

    def diff(self, name: str, old: int, new: int, limit: int | None = None) -> Diff:
        """Compare two versions; the memory it takes grows with the list.

        Raises:
            FeedError: there is no such version, or it is broken.
        """
        self.verify(name, old)
        self.verify(name, new)
        return compare(self._keys(name, old), set(self._keys(name, new)), limit)

    def release(self, name: str, version: int) -> Meta:
        """Note that a held version was approved of; return what is known of it now.

        Raises:
            FeedError: there is no such version, or it is broken.
        """
        meta = replace(self.verify(name, version), held=())
        _write_meta(self.path(name, version), meta)
        self.readmit(name, version)
        return meta

    def hold(self, name: str, version: int, why: tuple[str, ...]) -> Meta:
        """Note that a version waits for approval, and why; return what is known of it now.

        Raises:
            FeedError: there is no such version, or it is broken.
        """
        meta = replace(self.verify(name, version), held=why)
        _write_meta(self.path(name, version), meta)
        return meta

    def refuse(self, name: str, version: int) -> None:
        """Note that someone went back from a version: its content is not taken over again."""
        (self.path(name, version) / _REFUSED).touch(mode=0o600)

    def readmit(self, name: str, version: int) -> None:
        """Forget a refusal."""
        (self.path(name, version) / _REFUSED).unlink(missing_ok=True)

    def is_refused(self, name: str, version: int) -> bool:
        """Return whether someone went back from a version."""
        return (self.path(name, version) / _REFUSED).exists()

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """Give a folder for a new version, one at a time per feed; it is gone afterwards unless `keep` was called.

        Raises:
            BusyError: another sync of this feed is under way.
        """
        folder = self._of(name)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise BusyError(f"another sync of feed {name} is under way") from error
        try:
            for left in folder.glob(f"{_DRAFT}*"):  # of a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=folder))
            try:
                yield draft
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        finally:
            os.close(fd)

    def keep(self, name: str, draft: Path, meta: Meta) -> int:
        """Make a version of a draft; return its number. Complete on disk when this returns."""
        version = max(self.versions(name), default=0) + 1
        _write_meta(draft, meta)
        for file in draft.rglob("*"):
            if file.is_file():
                _sync_to_disk(file)
        _sync_to_disk(draft)
        draft.rename(self.path(name, version))
        _sync_to_disk(self._of(name))
        return version

    def prune(self, name: str, count: int, needed: set[int]) -> None:
        """Remove all but the newest `count` versions and those that are needed."""
        for version in self.versions(name)[:-count]:
            if version not in needed:
                shutil.rmtree(self.path(name, version), ignore_errors=True)

    def remove(self, name: str) -> None:
        """Remove all versions of a feed."""
        shutil.rmtree(self._of(name), ignore_errors=True)

    def _of(self, name: str) -> Path:
        if not _IS_NAME(name):
            raise FeedError(f"a feed's name has lower-case letters, digits and '-', at most 63; found {name!r}")
        return self._folder / name

    def _stream(self, name: str, version: int) -> Iterator[Rule]:
        with (self.path(name, version) / RULES).open("rb") as rows:
            for row in rows:
                yield read_row(row)

    def _keys(self, name: str, version: int) -> Iterator[str]:
        with (self.path(name, version) / RULES).open(encoding="utf-8", newline="\n") as rows:
            for row in rows:
                yield row.rstrip("\n").partition("\t")[2]


class BusyError(FeedError):
    """Another process syncs the same feed at this moment."""


def checksums(draft: Path) -> dict[str, str]:
    """Return the SHA-256 of the files of a draft that a version is loaded from, by name."""
    files = [BODY, RULES, REJECTIONS, *([SIGNATURE] if (draft / SIGNATURE).exists() else [])]
    return {file: _checksum(draft / file) for file in files}


def _write_meta(folder: Path, meta: Meta) -> None:
    new = folder / f"{_META}.new"
    new.write_text(json.dumps(asdict(meta), indent=1))
    _sync_to_disk(new)
    new.rename(folder / _META)


def _checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _sync_to_disk(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
