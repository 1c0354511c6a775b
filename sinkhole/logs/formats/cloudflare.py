"""DNS logs of Cloudflare Gateway (Logpush `gateway_dns`), as CSV with a header or as JSON lines.

Clients are told by the user's address or the device where the log has them: many share one source address.
"""

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock, epoch
from sinkhole.logs.columns import Header, cells_of
from sinkhole.logs.json_line import fields_of, text_of
from sinkhole.logs.query import LogFormat, Query, ReadLine

_CLIENTS = ("Email", "DeviceName", "DeviceID", "SrcIP")
_BLOCKED = "block"


def _open(clock: Clock) -> ReadLine:
    header: Header | None = None

    def read(line: str) -> Query | None:
        nonlocal header
        if line[:1] == "{":
            fields = fields_of(line)
            if "QueryName" not in fields:
                raise LogFormatError("wanted QueryName")
            decision = text_of(fields, "ResolverDecision")
            stamp = fields.get("Datetime")
            return _query(clock, stamp, text_of(fields, *_CLIENTS), text_of(fields, "QueryName"), decision)
        cells = cells_of(line)
        if header is None:
            header = Header(
                cells, at=("datetime",), name=("queryname",), decision=("resolverdecision",),
                client=tuple(one.lower() for one in _CLIENTS),
            )  # fmt: skip
            if not header.has("at", "name", "client"):
                header = None
                raise LogFormatError("wanted a header with Datetime, QueryName and SrcIP")
            return None
        header.expect(cells)
        found = [header.cell(cells, key) for key in ("at", "client", "name", "decision")]
        return _query(clock, found[0], found[1], found[2], found[3])

    return read


def _query(clock: Clock, stamp: object, client: str, name: str, decision: str) -> Query:
    if not client or not name:
        raise LogFormatError("wanted QueryName and SrcIP")
    at = clock.utc(stamp) if isinstance(stamp, str) and "-" in stamp else epoch(stamp)
    return at, client, name, decision.lower().startswith(_BLOCKED) if decision else None


CLOUDFLARE = LogFormat("cloudflare", "Cloudflare Gateway DNS log (CSV or JSON)", _open)
