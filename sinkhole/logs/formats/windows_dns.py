"""The debug log of the Windows DNS server: packets that it received."""

import re

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.query import LogFormat, Query, ReadLine

_PACKET = re.compile(
    r"(\S+ \S+(?: [AP]M)?) +[0-9A-Fa-f]+ +PACKET +[0-9A-Fa-f]+ +(?:UDP|TCP) Rcv (\S+) +[0-9A-Fa-f]{4} (?:(R| ) )?(\S) "
    r"\[[^\]]*\] +\S+ +(\(.*)"
)
_STAMP = re.compile(
    r"([0-9]{1,4})([./-])([0-9]{1,2})[./-]([0-9]{1,4}) ([0-9]{1,2})[:.]([0-9]{2})[:.]([0-9]{2})( [AP]M)?"
)
_LABEL = re.compile(r"\([0-9]+\)")
_DAY = 86_400


class _Dates:
    """Reads dates in the order of the server's region: a date with a part above 12, or one to come, tells which."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_month_first: bool | None = None
        self._known: tuple[str, float] = ("", 0.0)

    def read(self, text: str) -> float:
        found = _STAMP.fullmatch(text)
        if found is None:
            raise LogFormatError(f"no date and time: {text[:40]!r}")
        key, known = self._known
        minute = text[: found.start(7)] + (found[8] or "")
        if minute != key:
            known = self._minute(found)
            self._known = (minute, known)
        return known + int(found[7])

    def _minute(self, found: re.Match[str]) -> float:
        one, sign, two, three = int(found[1]), found[2], int(found[3]), int(found[4])
        hour, half = int(found[5]), found[8]
        if half:
            hour = hour % 12 + (12 if half == " PM" else 0)
        if len(found[1]) == 4:
            return self._clock.civil(one, two, three, hour, int(found[6]))
        year = three if three >= 100 else 2000 + three
        if one > 12 or two > 12:
            self._is_month_first = two > 12
        elif self._is_month_first is None:
            self._is_month_first = self._guess(year, one, two, sign == "/" and bool(half))
        month, day = (one, two) if self._is_month_first else (two, one)
        return self._clock.civil(year, month, day, hour, int(found[6]))

    def _guess(self, year: int, one: int, two: int, is_american: bool) -> bool:
        """Return whether the month is first, where both may be: as the region has it, unless that is yet to come."""
        month, day = (one, two) if is_american else (two, one)
        is_to_come = self._clock.civil(year, month, day, 0, 0) > self._clock.written + _DAY
        return is_american is not is_to_come


def _open(clock: Clock) -> ReadLine:
    dates = _Dates(clock)

    def read(line: str) -> Query | None:
        if " PACKET " not in line or " Rcv " not in line:
            return None
        found = _PACKET.match(line)
        if found is None:
            raise LogFormatError("wanted DATE TIME THREAD PACKET … Rcv ADDRESS ID Q [FLAGS] TYPE (n)label…(0)")
        stamp, client, response, opcode, name = found.groups()
        if response == "R" or opcode != "Q":
            return None
        return dates.read(stamp), client, ".".join(_LABEL.split(name.rstrip())[1:-1]), None

    return read


WINDOWS_DNS = LogFormat("windows-dns", "debug log of the Windows DNS server", _open)
