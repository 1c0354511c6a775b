"""dnsdist: the text of `LogAction`, and what it says with `--verbose`."""

import re

from sinkhole.errors import LogFormatError
from sinkhole.logs.address import without_port
from sinkhole.logs.clock import Clock
from sinkhole.logs.query import LogFormat, Query, ReadLine

_PACKET = re.compile(r"Packet from (\S+) for (\S+) \S+ with id [0-9]+")
_GOT = re.compile(r"Got query for (\S+)\|[A-Z0-9]+ from (\S+?),? ")


def _open(clock: Clock) -> ReadLine:
    def read(line: str) -> Query | None:
        if found := _PACKET.search(line):
            return clock.of_line_or_file(line), without_port(found[1]), found[2], None
        if found := _GOT.search(line):
            return clock.of_line_or_file(line), without_port(found[2]), found[1], None
        if "Packet from" in line or "Got query" in line:
            raise LogFormatError("wanted Packet from ADDRESS:PORT for NAME TYPE with id NUMBER")
        return None

    return read


DNSDIST = LogFormat("dnsdist", "dnsdist (LogAction as text, or verbose)", _open)
