"""BIND's category `queries`, in a file of its own or through syslog."""

import re

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.query import LogFormat, Query, ReadLine

_QUERY = re.compile(r"client (?:@0x[0-9A-Fa-f]+ )?([0-9A-Fa-f.:]+)(?:%[^\s#]+)?#[0-9]+\b[^:]*:.* query: (\S+) \S+ \S+")


def _open(clock: Clock) -> ReadLine:
    match, time_of = _QUERY.match, clock.of_line_or_file

    def read(line: str) -> Query | None:
        if " query: " not in line:
            if "client " in line or "named" in line or clock.of_line(line) is not None:
                return None
            raise LogFormatError("wanted a line of BIND")
        found = match(line, max(0, line.find("client ")))
        if found is None:
            raise LogFormatError("wanted client ADDRESS#PORT (NAME): query: NAME CLASS TYPE")
        client, name = found.groups()
        return time_of(line), client, name, None

    return read


BIND = LogFormat("bind", "BIND query log", _open)
