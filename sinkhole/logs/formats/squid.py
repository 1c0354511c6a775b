"""access.log of Squid: hosts of CONNECT and of URLs; in its own form, or as common or combined log."""

import re

from sinkhole.errors import LogFormatError
from sinkhole.logs.address import host_of
from sinkhole.logs.clock import Clock
from sinkhole.logs.query import LogFormat, Query, ReadLine

_NATIVE = re.compile(r"\s*([0-9]{9,10}\.[0-9]{3})\s+-?[0-9]+ (\S+) ([A-Z_]+)/[0-9-]+ [0-9-]+ (\S+) (\S+)")
_COMMON = re.compile(r'(\S+) \S+ \S+ \[([^\]]+)\] "([A-Za-z_-]+) (\S+)(?: [^"]*)?" [0-9]+ \S+(.*)')


def _open(clock: Clock) -> ReadLine:
    native, common = _NATIVE.match, _COMMON.match

    def read(line: str) -> Query | None:
        if found := native(line):
            stamp, client, result, method, url = found.groups()
            at = float(stamp)
        elif found := common(line):
            client, stamp, method, url, result = found.groups()
            known = clock.of_line(stamp)
            if known is None:
                raise LogFormatError("wanted [26/Nov/2026:22:15:16 +0000]")
            at = known
        else:
            raise LogFormatError("wanted TIME MS ADDRESS RESULT/STATUS OCTETS METHOD URL")
        host = host_of(method, url)
        return None if host is None else (at, client, host, "DENIED" in result)

    return read


SQUID = LogFormat("squid", "Squid access.log", _open)
