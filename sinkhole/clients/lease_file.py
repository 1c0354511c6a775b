"""Follow a lease file: the format is detected, and it is read again when it was changed, replaced or rotated."""

import time
from collections.abc import Callable
from pathlib import Path

from sinkhole.clients.dnsmasq import parse_dnsmasq
from sinkhole.clients.isc import parse_isc
from sinkhole.clients.kea import HEADER, parse_kea
from sinkhole.clients.lease import Leases, Parser
from sinkhole.errors import SinkholeError

MAX_OCTETS = 64 * 1024 * 1024
_SETTLED_AFTER = 0.25
"""Seconds since its last change after which a file is taken for whole."""
_MOST_WAITS = 2
"""Looks in a row that are left out for that: a busy file changes all the time."""
_ISC_WORDS = ("lease ", "ia-na ", "ia-ta ", "ia-pd ", "server-duid ", "authoring-byte-order ", "failover ")
_CLEANED, _PREVIOUS, _COPY = ".completed", ".2", ".1"
"""Beside a file of Kea: the result of its last cleanup, or what that is made from (kea-lfc(8))."""
_Stamp = tuple[tuple[str, int, int, int], ...]


class LeaseError(SinkholeError):
    """A lease file cannot be read."""


class LeaseFile:
    """One lease file; `leases` is what it said when it was read last."""

    def __init__(self, path: Path, wall: Callable[[], float] = time.time) -> None:
        self.path = path
        self._wall = wall
        self._waited = 0
        self.format = "unknown"
        self.leases = Leases({})
        self._stamp: _Stamp = ()

    def look(self) -> bool:
        """Read the file if it is another than before; return whether it was read.

        One that is gone, or that changes while it is read, leaves what was known: a server that writes it anew is done
        at the next look.

        Raises:
            LeaseError: it cannot be read, or is too large.
        """
        try:
            stamp = self._look_at()
            if stamp == self._stamp or self._is_being_written(stamp):
                return False
            text = self._text()
            if self._look_at() != stamp:
                return False
        except OSError as error:
            raise LeaseError(f"lease file {self.path}: cannot be read: {error.strerror}") from error
        parser, self.format = _parser_of(text)
        self.leases = parser(text)
        self._stamp = stamp
        self._waited = 0
        return True

    def _is_being_written(self, stamp: _Stamp) -> bool:
        """Return whether to look again later: dnsmasq empties its file and writes it anew, in place."""
        age = self._wall() - max(changed for _, _, _, changed in stamp) / 1e9
        if not self._stamp or not 0 <= age < _SETTLED_AFTER or self._waited == _MOST_WAITS:
            return False
        self._waited += 1
        return True

    def _look_at(self) -> _Stamp:
        parts = []
        for path in self._parts():
            stat = path.stat()
            if stat.st_size > MAX_OCTETS:
                raise LeaseError(f"lease file {path}: has {stat.st_size} octets; at most {MAX_OCTETS} are read")
            parts.append((path.name, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        return tuple(parts)

    def _parts(self) -> list[Path]:
        """Return the file, after those that Kea has moved older leases to; a pipe would be waited for without end."""
        if not self.path.is_file() and self.path.exists():
            raise LeaseError(f"lease file {self.path}: is no ordinary file")
        cleaned, previous, copy = (self.path.with_name(self.path.name + end) for end in (_CLEANED, _PREVIOUS, _COPY))
        older = [cleaned] if cleaned.exists() else [path for path in (previous, copy) if path.exists()]
        return [*(older if self._is_kea() else []), self.path]

    def _is_kea(self) -> bool:
        with self.path.open("rb") as file:
            return file.read(len(HEADER)) == HEADER.encode()

    def _text(self) -> str:
        return "\n".join(path.read_bytes().decode("utf-8", "surrogateescape") for path in self._parts())


def _parser_of(text: str) -> tuple[Parser, str]:
    for line in text.splitlines():
        if line.startswith(HEADER):
            return parse_kea, "kea"
        if line.startswith(_ISC_WORDS):
            return parse_isc, "isc"
        if line.strip() and not line.startswith("#"):
            break
    return parse_dnsmasq, "dnsmasq"
