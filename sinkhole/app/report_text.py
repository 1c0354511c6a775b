"""The report of who tried which vendor, as plain text for mail."""

from datetime import datetime

from sinkhole.app.hit_reports import count_hits
from sinkhole.app.state import State
from sinkhole.store.recorder import dropped
from sinkhole.store.reports import Reports

_HEADER = ("vendor", "in", "clients", "attempts", "blocked", "coached", "allowed")


def report_text(state: State, since: int, until: int) -> str:
    """Return the report of a span of time (epoch seconds): per vendor clients, attempts, and what was done.

    Raises:
        StoreError, CatalogueError: it cannot be made.
    """
    catalogue = state.catalogue().catalogue
    found = count_hits(Reports(state.store, state.settings.record.attempt_window), catalogue, "vendor", since, until)
    rows: list[tuple[str, ...]] = [_HEADER]
    for tally in found:
        vendor = catalogue.by_id.get(tally.key or "")
        where = vendor.jurisdiction.value if vendor else "-"
        counts = (tally.clients, tally.attempts, tally.blocked, tally.coached, tally.allowed)
        rows.append((tally.key or "-", where, *map(str, counts)))
    with state.store.reading() as connection:
        lost = dropped(connection)
    lines = [f"Who tried which AI vendor, {_day(since)} to {_day(until)}", ""]
    lines += _table(rows) if found else ["No vendor was tried."]
    lines += ["", "An attempt counts once, however many queries it took."]
    if lost:
        lines.append(f"{lost} queries could not be recorded since the store was made, and are missing.")
    return "\n".join(lines) + "\n"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    return [
        "  ".join(
            cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
