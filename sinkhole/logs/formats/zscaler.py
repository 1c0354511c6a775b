"""DNS logs of Zscaler Internet Access: CSV with a header, or JSON of a Nanolog feed.

A feed's columns are what its administrator chose; a header with the names of the fields tells which. Clients are told
by their user where the log has one.
"""

from typing import Any

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import MONTHS, Clock, epoch
from sinkhole.logs.columns import Header, cells_of
from sinkhole.logs.json_line import fields_of, without_surrogates
from sinkhole.logs.query import LogFormat, Query, ReadLine

_NAME = ("dns_req", "domain", "requested domain", "dns request", "req")
_CLIENT = ("user", "login", "elogin", "deviceowner", "clt_sip", "cip", "client ip", "client source ip", "sip")
_STAMP = ("epochtime", "datetime", "time", "logged time", "event time", "request time")
_ACTION = ("reqaction", "request action", "action", "policy action")
_DNS_ONLY = ("dns_req", "requested domain", "dns request", "dns_reqtype", "reqaction", "request action", "clt_sip")


def _open(clock: Clock) -> ReadLine:
    header: Header | None = None

    def read(line: str) -> Query | None:
        nonlocal header
        if line[:1] == "{":
            return _of_json(clock, fields_of(line))
        cells = cells_of(line)
        if header is None:
            header = Header(cells, name=_NAME, client=_CLIENT, at=_STAMP, action=_ACTION, sign=_DNS_ONLY)
            if not header.has("name", "client", "at", "sign"):
                header = None
                raise LogFormatError("wanted a header that names time, user or client address, and requested domain")
            return None
        header.expect(cells)
        found = [header.cell(cells, key) for key in ("at", "client", "name", "action")]
        return _query(clock, found[0], found[1], found[2], found[3])

    return read


def _of_json(clock: Clock, fields: dict[str, Any]) -> Query:
    event = fields.get("event", fields)
    if not isinstance(event, dict) or "dns_req" not in event:
        raise LogFormatError("wanted dns_req")

    def first(*keys: str) -> str:
        return next((without_surrogates(str(event[key])) for key in keys if event.get(key)), "")

    return _query(clock, first("datetime", *_STAMP), first(*_CLIENT), first("dns_req"), first(*_ACTION))


def _query(clock: Clock, stamp: str, client: str, name: str, action: str) -> Query:
    if not client or not name:
        raise LogFormatError("wanted a requested domain and a user or client address")
    return _time(clock, stamp), client, name, "BLOCK" in action.upper() if action else None


def _time(clock: Clock, stamp: str) -> float:
    """Read seconds since the epoch, ISO 8601, or `Mon Oct 16 22:55:48 2023`; without a zone, UTC."""
    words = stamp.split()
    if len(words) == 5 and words[1] in MONTHS:
        return clock.utc(f"{words[4]}-{MONTHS[words[1]]:02}-{words[2]:>02} {words[3]}")
    return clock.utc(stamp) if "-" in stamp else epoch(stamp)


ZSCALER = LogFormat("zscaler", "Zscaler DNS log (CSV with a header, or JSON)", _open)
