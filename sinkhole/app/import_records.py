"""Local records of another resolver, for the file of local records."""

from sinkhole.app.records_file import MAX_OCTETS, RECORDS, read_records, records_text
from sinkhole.app.state import State
from sinkhole.errors import ForeignFileError
from sinkhole.foreign.model import Foreign
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold
from sinkhole.protocol.rdata import records_from_text
from sinkhole.protocol.types import QType, qtype_to_text

MOST = 10_000


def plan_records(state: State, foreign: Foreign) -> tuple[str, ...]:
    """Return the lines that are to be added; what a name has here already stays as it is.

    Raises:
        ConfigError: the file of local records is broken.
        ForeignFileError: there would be too many.
    """
    here: dict[bytes, dict[int, set[bytes]]] = {}
    for line in (*state.settings.records, *read_records(state.folder)):
        for record in records_from_text(line):
            _data(here, record).add(record.rdata)
    added: dict[bytes, dict[int, set[bytes]]] = {}
    lines = []
    for one in foreign.records:
        (record,) = records_from_text(one.text)
        owner = fold(record.owner)
        if record.rdata in here.get(owner, {}).get(record.rtype, ()) or record.rdata in _data(added, record):
            continue
        if why := _conflict(record, here.get(owner, {}), "here") or _conflict(record, added[owner], "there"):
            foreign.leave_out(one.place, one.text, why)
            continue
        _data(added, record).add(record.rdata)
        lines.append(one.text)
    size = len(records_text(state.folder).encode()) + sum(len(line.encode()) + 1 for line in lines)
    if len(lines) > MOST or size > MAX_OCTETS:
        raise ForeignFileError(f"{len(lines)} local records: more than {MOST}, or {MAX_OCTETS} octets of {RECORDS}")
    return tuple(lines)


def _data(records: dict[bytes, dict[int, set[bytes]]], record: Record) -> set[bytes]:
    return records.setdefault(fold(record.owner), {}).setdefault(record.rtype, set())


def _conflict(record: Record, known: dict[int, set[bytes]], where: str) -> str | None:
    """Say why a record cannot stand beside others of its name; those that are here are not added to."""
    types = {rtype for rtype, data in known.items() if data}
    if not types or (where == "there" and types == {record.rtype} and record.rtype != QType.CNAME):
        return None
    if where == "here" and record.rtype in types:
        return f"the name has other {qtype_to_text(record.rtype)} records here, which stay"
    if QType.CNAME in (*types, record.rtype):
        return f"a name that is an alias has no other records (RFC 1034, section 3.6.2); it has some {where}"
    return None
