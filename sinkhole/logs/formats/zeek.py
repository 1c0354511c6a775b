"""dns.log of Zeek, as tab-separated columns or as JSON."""

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock, epoch
from sinkhole.logs.json_line import fields_of, text_of
from sinkhole.logs.query import LogFormat, Query, ReadLine

_WANTED = ("ts", "id.orig_h", "query")


def _open(clock: Clock) -> ReadLine:
    columns: tuple[int, int, int] | None = None
    width = 0

    def read(line: str) -> Query | None:
        nonlocal columns, width
        if line[:1] == "#":
            if line.startswith("#fields\t"):
                names = line.split("\t")[1:]
                width = len(names)
                columns = tuple(map(names.index, _WANTED)) if set(_WANTED) <= set(names) else None  # type: ignore[assignment]
            return None
        if line[:1] == "{":
            return _of_json(clock, line)
        if columns is None:
            raise LogFormatError("wanted a line #fields with ts, id.orig_h and query before it")
        cells = line.split("\t")
        if len(cells) != width:
            raise LogFormatError(f"wanted {width} columns; found {len(cells)}")
        at, client, name = columns
        return None if cells[name] in ("-", "(empty)") else (epoch(cells[at]), cells[client], cells[name], None)

    return read


def _of_json(clock: Clock, line: str) -> Query | None:
    fields = fields_of(line)
    if "id.orig_h" not in fields or "ts" not in fields:
        raise LogFormatError("wanted ts and id.orig_h")
    if fields.get("_path", "dns") != "dns":
        return None
    name, client, stamp = text_of(fields, "query"), text_of(fields, "id.orig_h"), fields["ts"]
    if not name or not client:
        return None
    return clock.utc(stamp) if isinstance(stamp, str) else epoch(stamp), client, name, None


ZEEK = LogFormat("zeek", "Zeek dns.log (columns or JSON)", _open)
