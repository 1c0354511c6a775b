"""PowerDNS: the Recursor with `quiet=no`, as text or structured; the authoritative server with `log-dns-queries`."""

import re

from sinkhole.errors import LogFormatError
from sinkhole.logs.address import without_port
from sinkhole.logs.clock import Clock, epoch
from sinkhole.logs.query import LogFormat, Query, ReadLine

_PLAIN = re.compile(r" question for '(.+)\|[A-Z0-9]+' from (\S+)")
_WANTS = re.compile(r"Remote (\S+) wants '(.+)\|[A-Z0-9]+'")
_FIELD = re.compile(r'\b(ts|qname|remote)="((?:[^"\\]|\\.)*)"')


def _open(clock: Clock) -> ReadLine:
    def read(line: str) -> Query | None:
        if found := _PLAIN.match(line, max(0, line.find(" question for '"))):
            return clock.of_line_or_file(line), without_port(found[2]), found[1], None
        if 'msg="Question"' in line:
            fields = dict(_FIELD.findall(line))
            if "qname" not in fields or "remote" not in fields:
                raise LogFormatError("wanted qname and remote beside msg=Question")
            at = epoch(fields["ts"]) if "ts" in fields else clock.of_line_or_file(line)
            return at, without_port(fields["remote"]), fields["qname"], None
        if found := _WANTS.match(line, max(0, line.find("Remote "))):
            # An address with a bit length is that of EDNS Client Subnet.
            return clock.of_line_or_file(line), without_port(found[1].partition("<-")[0]), found[2], None
        if "pdns" in line or clock.of_line(line) is not None:
            return None
        raise LogFormatError("wanted a line of PowerDNS")

    return read


POWERDNS = LogFormat("powerdns", "PowerDNS (Recursor with quiet=no, or log-dns-queries)", _open)
