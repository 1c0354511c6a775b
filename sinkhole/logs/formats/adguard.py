"""querylog.json of AdGuard Home: a JSON object a line."""

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.json_line import fields_of, text_of
from sinkhole.logs.query import LogFormat, Query, ReadLine


def _open(clock: Clock) -> ReadLine:
    def read(line: str) -> Query | None:
        fields = fields_of(line)
        name, client, stamp = text_of(fields, "QH"), text_of(fields, "IP"), text_of(fields, "T")
        if not (name and client and stamp):
            raise LogFormatError("wanted QH, IP and T")
        result = fields.get("Result")
        return clock.iso(stamp), client, name, isinstance(result, dict) and result.get("IsFiltered") is True

    return read


ADGUARD = LogFormat("adguard", "AdGuard Home querylog.json", _open)
