"""CSV that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterable, Sequence

from sinkhole.evidence.model import Evidence
from sinkhole.evidence.tables import main_table
from sinkhole.evidence.words import utc_time, visible

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula (CWE-1236)."""
    if isinstance(value, str) and value[:1] in _FORMULA:
        return "'" + value
    return value


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return CSV in which no cell can be taken for a formula by a spreadsheet (CWE-1236)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def to_csv(evidence: Evidence) -> str:
    """Return the table that a report is by; times are in UTC."""
    table = main_table(evidence, utc_time)
    rows = [[visible(cell) if isinstance(cell, str) else cell for cell in row] for row in table.rows]
    return csv_text(table.header, rows)
