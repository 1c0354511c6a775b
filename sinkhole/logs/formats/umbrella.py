"""DNS logs of Cisco Umbrella, as it exports them: CSV, mostly without a header, in UTC.

Columns in all versions: time, most granular identity, all identities, internal and external address, action, query
type, response code, domain; newer versions add more behind.
"""

import re

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.columns import cells_of
from sinkhole.logs.query import LogFormat, Query, ReadLine

_LEAST = 9
_TYPE = re.compile(r"[0-9]+ \([A-Z0-9]+\)|[A-Z0-9]*")


def _open(clock: Clock) -> ReadLine:
    def read(line: str) -> Query | None:
        cells = cells_of(line)
        if len(cells) < _LEAST:
            raise LogFormatError(f"wanted at least {_LEAST} columns; found {len(cells)}")
        if not cells[0][:4].isdecimal() and cells[0].lower() in ("timestamp", "date", "datetime"):
            return None
        stamp, identity, _, internal, external, action, qtype, _, name = cells[:_LEAST]
        if action not in ("Allowed", "Blocked", "Proxied") or not _TYPE.fullmatch(qtype):
            raise LogFormatError("wanted Allowed, Blocked or Proxied in column 6 and a query type in column 7")
        client = internal or identity or external
        if not client or not name:
            raise LogFormatError("wanted a domain and an address or identity")
        return clock.utc(stamp), client, name, action == "Blocked"

    return read


UMBRELLA = LogFormat("umbrella", "Cisco Umbrella DNS log (CSV)", _open)
