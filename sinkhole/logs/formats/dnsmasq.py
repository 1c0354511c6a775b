"""dnsmasq with `log-queries` or `log-queries=extra`, and the log of Pi-hole, which is dnsmasq's."""

import re

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.query import LogFormat, Query, ReadLine

_QUERY = re.compile(r" query\[[^\]]*\] (.+) from ([0-9A-Fa-f.:]+)(?:%\S+)?\s*$")


def _open(clock: Clock) -> ReadLine:
    match, time_of = _QUERY.match, clock.of_line_or_file

    def read(line: str) -> Query | None:
        start = line.find(" query[")
        if start < 0:
            if "dnsmasq" in line or clock.of_line(line) is not None:
                return None
            raise LogFormatError("wanted a line of dnsmasq")
        found = match(line, start)
        if found is None:
            raise LogFormatError("wanted query[TYPE] NAME from ADDRESS")
        name, client = found.groups()
        return time_of(line), client, name, None

    return read


DNSMASQ = LogFormat("dnsmasq", "dnsmasq or Pi-hole log (log-queries)", _open)
