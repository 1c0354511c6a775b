"""The file that is imported: bounded in size, and recognised by its first octets."""

import os
import stat
from pathlib import Path
from typing import Final

from sinkhole.errors import ForeignFileError
from sinkhole.feeds.hostname import is_address

MAX_TEXT: Final = 32 * 1024 * 1024
"""Octets of a configuration, a zone or a hosts file."""
MAX_FILE: Final = 1024 * 1024 * 1024
"""Octets of a database; a gravity.db holds the rows of all lists."""
_HEAD: Final = 4096


def open_file(path: Path, most: int = MAX_FILE) -> int:
    """Return a descriptor of an ordinary file of at most `most` octets.

    Raises:
        ForeignFileError: it cannot be opened, is no ordinary file, or is larger.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise ForeignFileError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    status = os.fstat(fd)
    if stat.S_ISREG(status.st_mode) and status.st_size <= most:
        return fd
    os.close(fd)
    if stat.S_ISDIR(status.st_mode):
        raise ForeignFileError(f"{path}: is a folder; wanted a file")
    if not stat.S_ISREG(status.st_mode):
        raise ForeignFileError(f"{path}: is no ordinary file")
    raise ForeignFileError(f"{path}: has {status.st_size} octets; at most {most} are read")


def read_octets(path: Path, most: int = MAX_TEXT) -> bytes:
    """Return what a file holds; raises ForeignFileError as `open_file` does."""
    try:
        with os.fdopen(open_file(path, most), "rb") as file:
            found = file.read(most + 1)
    except OSError as error:
        raise ForeignFileError(f"{path}: cannot be read: {error.strerror}") from error
    if len(found) > most:
        raise ForeignFileError(f"{path}: at most {most} octets are read, and it grew beyond that")
    return found


def read_text(path: Path, wanted: str) -> str:
    """Return the text of a file.

    Args:
        wanted: what it should be, in words.

    Raises:
        ForeignFileError: it cannot be read, or is no text.
    """
    octets = read_octets(path)
    if (kind := looks_like(octets[:_HEAD])) is not None:
        raise ForeignFileError(f"{path}: wanted {wanted}; it looks like {kind}")
    return decoded(octets, str(path))


def decoded(octets: bytes, file: str) -> str:
    """Return octets as text; raises ForeignFileError where they are not UTF-8, with the line."""
    try:
        return octets.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ForeignFileError(f"{file}: line {line}: is not UTF-8") from error


def head_of(path: Path) -> bytes:
    """Return the first octets of a file; raises ForeignFileError as `open_file` does."""
    with os.fdopen(open_file(path), "rb") as file:
        return file.read(_HEAD)


def looks_like(head: bytes) -> str | None:
    """Say what a file is that begins so; None where it may be a text."""
    signs = {
        b"PK\x03\x04": "a zip archive", b"PK\x05\x06": "an empty zip archive", b"\x1f\x8b": "a gzip archive",
        b"SQLite format 3\0": "an SQLite database", b"BZh": "a bzip2 archive", b"\xfd7zXZ": "an xz archive",
        b"\x28\xb5\x2f\xfd": "a zstandard archive", b"%PDF": "a PDF", b"\x7fELF": "a program",
        b"\xff\xfe": "text in UTF-16", b"\xfe\xff": "text in UTF-16",
    }  # fmt: skip
    found = next((kind for sign, kind in signs.items() if head.startswith(sign)), None)
    if found is None and b"\0" in head:
        return "a binary file"
    if found is None and head.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page"
    return found


def text_kind(text: str) -> str:
    """Say what a text looks like, for whoever gave the wrong one."""
    start = text[:65_536]
    rows = [row.strip() for row in start.splitlines() if row.strip() and not row.lstrip().startswith(("#", ";", "!"))]
    if not rows:
        return "an empty file, or one with comments only"
    if "clientGroupsBlock:" in start or "denylists:" in start or "blackLists:" in start:
        return "a configuration of blocky"
    if "schema_version:" in text or "user_rules:" in text or "bind_hosts:" in start:
        return "a configuration of AdGuard Home"
    if rows[0].startswith(("{", "[{")):
        return "JSON"
    if any(" SOA " in f" {row.upper()} " for row in rows[:50]) or any(" CNAME " in row.upper() for row in rows[:50]):
        return "a zone file"
    if all(is_address(row.split()[0]) for row in rows[:20]) and len(rows[0].split()) > 1:
        return "a hosts file"
    if any(row.startswith(("||", "@@")) for row in rows[:50]):
        return "a list in adblock form; add it with: sinkhole feeds add"
    if all("." in row and " " not in row for row in rows[:20]):
        return "a list of domains; add it with: sinkhole feeds add"
    return "another text"
