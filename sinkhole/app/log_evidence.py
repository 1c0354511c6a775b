"""Make the report of an audit of logs."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from sinkhole.app.log_audit import LogAudit, LogRead
from sinkhole.catalogue.load import Catalogue
from sinkhole.evidence.floor import merge_few, total_or_none
from sinkhole.evidence.model import By, Evidence, Line, Source
from sinkhole.evidence.trend import buckets, step_of
from sinkhole.evidence.words import number

TITLE = "Who tried which AI vendor"
Key = Callable[[str, str, str | None], tuple[str | None, str]]
KEYS: dict[By, Key] = {
    By.VENDOR: lambda _client, vendor, _group: (None, vendor),
    By.CLIENT: lambda client, vendor, _group: (client, vendor),
    By.GROUP: lambda _client, vendor, group: (group, vendor),
}


def log_evidence(
    audit: LogAudit,
    catalogue: Catalogue,
    by: By,
    made: float,
    *,
    floor: int = 1,
    step: str | None = None,
    client_text: Callable[[str], str] = str,
    zone: dt.tzinfo | None = None,
) -> Evidence:
    """Return the report.

    Args:
        by: what the second table is by.
        floor: rows of fewer clients are merged.
        step: `day` or `week`; None for what fits.
        client_text: how a client is written.
        zone: of the times in the report; None for that of this machine.
    """
    counting = audit.counting
    name_of = vendor_names(catalogue)
    step = step_of(len(range(min(counting.days, default=0), max(counting.days, default=0) + 1)), step)
    vendors = [
        replace(line, is_new=audit.has_earlier and line.vendor not in audit.known_before)
        for line in counting.lines(KEYS[By.VENDOR], name_of)
    ]
    parts: tuple[Line, ...] = ()
    if by is not By.VENDOR:
        found = merge_few(counting.lines(KEYS[by], name_of), floor, counting.union(KEYS[by]))
        parts = tuple(_with_client(line, client_text) for line in found) if by is By.CLIENT else found
    return Evidence(
        title=TITLE,
        sources=tuple(_source(log) for log in audit.logs),
        since=audit.first if audit.seen else None,
        until=audit.last if audit.seen else None,
        made=made,
        basis=audit.judge.basis,
        total=total_or_none(counting.total(), floor) if counting.pairs else counting.total(),
        seen=len(audit.seen),
        vendors=merge_few(vendors, floor, counting.union(KEYS[By.VENDOR])),
        by=by,
        parts=parts,
        step=step,
        trend=buckets(counting.days, step, counting.clients_by_step(step), floor),
        floor=floor,
        notes=tuple(audit.notes()),
        zone=zone,
    )


def vendor_names(catalogue: Catalogue) -> Callable[[str], tuple[str, str | None]]:
    """Return what tells the name and the jurisdiction of a vendor; of an unknown one its id and None."""

    def name_of(vendor: str) -> tuple[str, str | None]:
        found = catalogue.by_id.get(vendor)
        return (vendor, None) if found is None else (found.name, found.jurisdiction.value)

    return name_of


def _with_client(line: Line, text_of: Callable[[str], str]) -> Line:
    return line if line.part is None else replace(line, part=text_of(line.part))


def _counted(count: int, one: str, many: str) -> str:
    return f"{number(count)} {one if count == 1 else many}"


def _source(log: LogRead) -> Source:
    summary = log.summary
    lines, queries = _counted(summary.lines, "line", "lines"), _counted(log.queries, "query", "queries")
    said = f"{lines}, {queries}, {number(log.for_vendors)} for AI vendors"
    if summary.unreadable:
        said += f"; {number(summary.unreadable)} could not be read, the first is line {summary.first_unreadable}"
    return Source(summary.name, summary.title, said)
