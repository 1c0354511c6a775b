"""A report as Markdown."""

import re

from sinkhole.evidence.model import By, Evidence
from sinkhole.evidence.tables import Cell, Table, part_table, source_table, trend_table, vendor_table, without_ids
from sinkhole.evidence.words import clock_of, headline, sentences, utc_day, visible

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&]|^[#+-])")


def to_markdown(evidence: Evidence) -> str:
    """Return the report; what comes from the network is escaped."""
    tables = [without_ids(vendor_table(evidence, clock_of(evidence)))] if evidence.vendors else []
    if evidence.by is not By.VENDOR and evidence.parts:
        tables.append(without_ids(part_table(evidence, clock_of(evidence))))
    if evidence.trend:
        tables.append(trend_table(evidence, utc_day))
    if evidence.sources:
        tables.append(source_table(evidence))
    parts = [f"# {_escape(evidence.title)}", f"**{_escape(headline(evidence))}**", *map(_escape, sentences(evidence))]
    parts += [_table(table) for table in tables]
    return "\n\n".join([*parts, f"Made {_escape(clock_of(evidence)(evidence.made))} by Sinkhole."]) + "\n"


def _table(table: Table) -> str:
    rules = ["--:" if name in table.numeric else "---" for name in table.header]
    rows = [_row(list(map(_escape, table.header))), _row(rules), *(_row(list(map(_cell, row))) for row in table.rows)]
    return "\n".join([f"## {_escape(table.title)}", "", *rows])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return "-" if cell is None else _escape(str(cell))


def _escape(text: str) -> str:
    """Return text that is taken for nothing but text, on one line."""
    return _SPECIAL.sub(r"\\\1", visible(text))
