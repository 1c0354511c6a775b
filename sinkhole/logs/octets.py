"""A log as a stream of lines: a file or standard input, compressed or not, in bounded memory."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

from sinkhole.errors import LogError

HEAD: Final = 1 << 20
"""Octets that are looked at to tell what a log is."""
_CHUNK: Final = 1 << 20
MAX_LINE: Final = 1 << 18
"""Characters of a line; what is longer is cut into several, none of which will be one of its format."""
_SQLITE: Final = b"SQLite format 3\0"
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BROKEN: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)


class LogSource:
    """One log.

    Args:
        path: of a file; None for standard input.

    Raises:
        LogError: it cannot be opened, or is a folder.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.name = "standard input" if path is None else str(path)
        self._raw = _opened(path, self.name)
        status = os.fstat(self._raw.fileno())
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        self.written = status.st_mtime if stat.S_ISREG(status.st_mode) else time.time()
        """Epoch seconds when it was last written: now, where it is no file."""
        try:
            start = self._raw.peek(16)[:16]
            self.is_database = start.startswith(_SQLITE)
            if self.is_database and path is None:
                raise LogError(f"{self.name}: is a database, which is read from a file only")
            self._plain: IO[bytes] = self._raw if self.is_database else _plain(self._raw, start)
            self.head = b"" if self.is_database else self._read(HEAD)
        except _BROKEN as error:
            self._raw.close()
            raise LogError(f"{self.name}: cannot be read: {error}") from error
        except LogError:
            self._raw.close()
            raise

    @property
    def position(self) -> int:
        """How many octets of the file were read."""
        try:
            return self._raw.tell()
        except OSError:
            return 0

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self.path is not None:
            self._raw.close()

    def head_lines(self) -> list[str]:
        """Return the whole lines at the beginning."""
        text = self._decoder().decode(self.head, len(self.head) < HEAD)
        lines = text.replace("\r\n", "\n").split("\n")
        return lines if len(self.head) < HEAD else lines[:-1]

    def blocks(self) -> Iterator[list[str]]:
        """Yield all lines, some thousand at a time.

        Raises:
            LogError: it cannot be read further, as where an archive is cut short.
        """
        decoder = self._decoder()
        rest, octets = "", self.head
        self.head = b""
        while octets:
            lines = (rest + decoder.decode(octets)).replace("\r\n", "\n").split("\n")
            rest = lines.pop()
            while len(rest) > MAX_LINE:
                lines.append(rest[:MAX_LINE])
                rest = rest[MAX_LINE:]
            yield lines
            octets = self._read(_CHUNK)
        rest += decoder.decode(b"", final=True)
        if rest:
            yield [rest]

    def _decoder(self) -> codecs.IncrementalDecoder:
        encoding = next((name for mark, name in _BOMS if self.head.startswith(mark)), "utf-8")
        return codecs.getincrementaldecoder(encoding)("replace")

    def _read(self, most: int) -> bytes:
        parts: list[bytes] = []
        room = most
        try:
            while room and (part := self._plain.read(room)):
                parts.append(part)
                room -= len(part)
        except _BROKEN as error:
            raise LogError(f"{self.name}: cannot be read further: {error}") from error
        return b"".join(parts)


def _opened(path: Path | None, name: str) -> io.BufferedReader:
    if path is None:
        return io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False), _CHUNK)
    try:
        if path.is_dir():
            raise LogError(f"{name}: is a folder; wanted a log")
        return io.BufferedReader(io.FileIO(path), _CHUNK)
    except (OSError, ValueError) as error:
        raise LogError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _plain(raw: io.BufferedReader, start: bytes) -> IO[bytes]:
    if start.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if start.startswith(b"BZh"):
        return bz2.BZ2File(raw)
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMAFile(raw)
    return raw
