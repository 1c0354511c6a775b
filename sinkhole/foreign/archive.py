"""Archives of other people: members are read by their name and within bounds, and nothing is ever unpacked by path."""

import gzip
import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final, cast

from sinkhole.errors import ForeignFileError
from sinkhole.foreign.source import open_file

MAX_ARCHIVE: Final = 32 * 1024 * 1024
"""Octets of an archive: its directory is read as a whole before members can be counted."""
MAX_MEMBERS: Final = 10_000
MAX_UNPACKED: Final = 256 * 1024 * 1024
"""Octets of all members that are read, after decompression."""
_BROKEN = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, tarfile.TarError, NotImplementedError,
           RuntimeError, LookupError)  # fmt: skip
_ENCRYPTED: Final = 1


def read_zip(path: Path, wanted: frozenset[str]) -> tuple[dict[str, bytes], list[str]]:
    """Return what the wanted members of a zip archive hold, and the names of the others.

    Raises:
        ForeignFileError: it is broken, encrypted or too large, or has a member that would be outside of its folder.
    """
    found: dict[str, bytes] = {}
    others: list[str] = []
    room = MAX_UNPACKED
    _expect_small(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise ForeignFileError(f"{path}: has {len(members)} members; at most {MAX_MEMBERS} are read")
            for member in members:
                _check_name(path, member.filename)
                if member.is_dir():
                    continue
                if member.filename not in wanted:
                    others.append(member.filename)
                    continue
                if member.flag_bits & _ENCRYPTED:
                    raise ForeignFileError(f"{path}: {member.filename} is encrypted; export it without a password")
                with archive.open(member) as file:
                    _take(path, member.filename, file, room, found)
                room -= len(found[member.filename])
    except _BROKEN as error:
        raise ForeignFileError(f"{path}: is a zip archive that is broken: {error}") from error
    return found, others


def read_tar(path: Path, wanted: Mapping[str, str]) -> tuple[dict[str, bytes], list[str]]:
    """Return what the wanted members of a tar.gz archive hold, and the names of the others.

    Args:
        wanted: last part of a member's name to the name under which it is returned.

    Raises:
        ForeignFileError: as in `read_zip`.
    """
    found: dict[str, bytes] = {}
    others: list[str] = []
    _expect_small(path)
    try:
        with (
            gzip.open(path) as plain,
            tarfile.open(fileobj=cast("IO[bytes]", _Bounded(path, plain)), mode="r|") as archive,
        ):
            for number, member in enumerate(archive, 1):
                if number > MAX_MEMBERS:
                    raise ForeignFileError(f"{path}: at most {MAX_MEMBERS} members are read")
                _check_name(path, member.name)
                name = wanted.get(member.name.rpartition("/")[2])
                file = archive.extractfile(member) if member.isreg() and name else None
                if file is not None and name:
                    _take(path, name, file, MAX_UNPACKED, found)
                elif not member.isdir():
                    others.append(member.name)
    except _BROKEN as error:
        raise ForeignFileError(f"{path}: is a tar.gz archive that is broken: {error}") from error
    return found, others


def _expect_small(path: Path) -> None:
    """Raise ForeignFileError where a file is larger than an archive may be."""
    os.close(open_file(path, MAX_ARCHIVE))


def _check_name(path: Path, name: str) -> None:
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or "\0" in name:
        raise ForeignFileError(f"{path}: the member {name[:120]!r} would be outside of the archive's folder")


def _take(path: Path, name: str, file: IO[bytes], room: int, found: dict[str, bytes]) -> None:
    if name in found:
        raise ForeignFileError(f"{path}: has {name} twice")
    octets = file.read(room + 1)
    if len(octets) > room:
        raise ForeignFileError(f"{path}: {name}: more than {MAX_UNPACKED} octets after decompression are not read")
    found[name] = octets


class _Bounded(io.RawIOBase):
    """Gives the octets of a stream until there were too many, whatever the headers in it say."""

    def __init__(self, path: Path, plain: gzip.GzipFile) -> None:
        self._path = path
        self._plain = plain
        self._room = MAX_UNPACKED

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` octets."""
        octets = self._plain.read(min(size, self._room + 1) if size >= 0 else self._room + 1)
        self._room -= len(octets)
        if self._room < 0:
            raise ForeignFileError(f"{self._path}: more than {MAX_UNPACKED} octets after decompression are not read")
        return octets
