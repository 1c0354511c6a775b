"""The lease file of ISC dhcpd (dhcpd.leases(5)): a log of declarations, of which the last one of an address counts."""

import calendar
import re
import time
from dataclasses import dataclass

from sinkhole.clients.lease import Lease, Leases, address_of, host_of, octets_of, seconds_of
from sinkhole.policy.member import mac_from_text

_IAID = 4
_begins_lease = re.compile(r"(?:lease|iaaddr)\s+(\S+)\s*\{").fullmatch
_begins_association = re.compile(r"ia-(?:na|ta|pd)\s+(\"(?:[^\"\\]|\\.)*\"|\S+)\s*\{").fullmatch
_statement = re.compile(r"(ends|hardware ethernet|uid|client-hostname|binding state)\s+(.*?);(?:\s*#.*)?").fullmatch
_escape = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


@dataclass(slots=True)
class _Draft:
    """A declaration that is being read."""

    address: str
    client_id: bytes
    mac: str | None = None
    host: str | None = None
    expires: float | None = None
    state: str = "active"

    def finish(self) -> Lease:
        return Lease(self.address, self.mac, self.client_id, self.host, self.expires)


def parse_isc(text: str) -> Leases:
    """Read a lease file, of DHCPv4 or DHCPv6; a declaration without its end is still being written and left out."""
    reading = _Reading()
    for line in text.splitlines():
        try:
            reading.take(line.strip())
        except ValueError:
            reading.malformed += 1
            reading.draft = None  # half of a declaration is none: without its end it would never end
    return Leases(reading.found, reading.malformed)


class _Reading:
    """The reading of one file, a line at a time."""

    def __init__(self) -> None:
        self.found: dict[str, Lease] = {}
        self.malformed = 0
        self.draft: _Draft | None = None
        self._duid = b""

    def take(self, line: str) -> None:
        """Take a line; raise ValueError where it begins what cannot be read."""
        if begins := _begins_lease(line):
            self.draft = None
            self.draft = _Draft(address_of(begins[1]), self._duid)
        elif begins := _begins_association(line):
            self._duid = _octets(begins[1])[_IAID:]
        elif line == "}":
            self._end()
        elif self.draft is not None and (said := _statement(line)):
            _note(self.draft, said[1], said[2])

    def _end(self) -> None:
        if self.draft is None:
            self._duid = b""
            return
        draft, self.draft = self.draft, None
        if draft.state == "active":
            self.found[draft.address] = draft.finish()
        else:
            self.found.pop(draft.address, None)


def _note(draft: _Draft, key: str, value: str) -> None:
    match key:
        case "ends":
            draft.expires = _time(value)
        case "hardware ethernet":
            draft.mac = mac_from_text(value)
        case "uid":
            draft.client_id = _octets(value)
        case "client-hostname":
            draft.host = host_of(_octets(value).decode("utf-8", "replace"))
        case "binding state":
            draft.state = value


def _time(text: str) -> float | None:
    """Read `never`, `epoch 1700000000`, or a weekday with date and time in UTC."""
    if text == "never":
        return None
    if text.startswith("epoch "):
        return seconds_of(text.removeprefix("epoch "))
    return float(calendar.timegm(time.strptime(text[2:], "%Y/%m/%d %H:%M:%S")))


def _octets(text: str) -> bytes:
    """Read a string with octal escapes, or octets in hexadecimal."""
    if not text.startswith('"'):
        return octets_of(text)
    quoted = text[1:-1].encode("utf-8", "surrogateescape")
    return _escape.sub(lambda found: bytes([int(found[1], 8) & 0xFF]) if len(found[1]) == 3 else found[1], quoted)
