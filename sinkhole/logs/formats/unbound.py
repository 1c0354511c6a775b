"""Unbound with `log-queries`, `log-replies` or both, tagged or not, with any form of its time stamps."""

import re

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.query import LogFormat, Query, ReadLine

_LINE = re.compile(r" (?:info|query|reply): ([0-9A-Fa-f.:]+) (\S+) (\S+) [A-Z][A-Z0-9]*(?= |$)(.*)")
_PENDING = 10_000
"""Queries that wait for their reply; when more do, all are forgotten."""


def _open(clock: Clock) -> ReadLine:
    search, time_of = _LINE.search, clock.of_line_or_file
    pending: dict[tuple[str, str, str], int] = {}

    def read(line: str) -> Query | None:
        found = search(line)
        if found is None:
            if "unbound" in line or clock.of_line(line) is not None:
                return None
            raise LogFormatError("wanted a line of Unbound")
        client, name, qtype, reply = found.groups()
        key = (client, name, qtype)
        if reply.strip():
            # With log-queries too, each query is told twice.
            if waiting := pending.get(key):
                pending[key] = waiting - 1
                return None
        else:
            if len(pending) >= _PENDING:
                pending.clear()
            pending[key] = pending.get(key, 0) + 1
        return time_of(line), client, name, None

    return read


UNBOUND = LogFormat("unbound", "Unbound (log-queries, log-replies)", _open)
