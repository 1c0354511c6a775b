"""A report as one HTML page: nothing is loaded, no script runs, it prints well, in light and dark."""

from html import escape

from sinkhole.evidence.chart import bars, columns
from sinkhole.evidence.model import By, Evidence
from sinkhole.evidence.tables import (
    Cell,
    Table,
    heading,
    part_table,
    source_table,
    told,
    trend_table,
    vendor_table,
    without_ids,
)
from sinkhole.evidence.words import clock_of, headline, number, sentences, utc_day, visible

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Nothing but the style of the page itself may act, should a name from the network get through all the same."""
_STYLE = """
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6675;--line:#d5dbe3;--paper:#fff;--zebra:#f5f7fa;
--c0:#2f4bc4;--c1:#ba5b22;--c2:#12926f;--c3:#b362e4;--c4:#b08c00;--c5:#9c1246;--c6:#7b8496}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#a3adba;--line:#38414d;--paper:#14181e;--zebra:#1b2129;
--c0:#8098ff;--c1:#ffa257;--c2:#47c591;--c3:#e6a0f2;--c4:#f4e58a;--c5:#d73c74;--c6:#8b94a8}}
body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.answer{font-size:1.2rem;font-weight:600;margin:.5rem 0 1rem}ul.said{padding-left:1.2rem;color:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--soft);padding:.25rem 0}
th,td{padding:.3rem .6rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top;
overflow-wrap:break-word;max-width:24rem}
th{white-space:nowrap}tbody tr:nth-child(even){background:var(--zebra)}
.n{text-align:right;font-variant-numeric:tabular-nums}.n,.t{white-space:nowrap}
.chart{width:100%;height:auto}.chart text{font:12px system-ui,sans-serif;fill:var(--ink)}
.axis,.grid{stroke:var(--line);fill:none}.axis{stroke:var(--soft)}.at{fill:none}.chart rect{stroke:var(--paper)}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}
.c4{fill:var(--c4)}.c5{fill:var(--c5)}.c6{fill:var(--c6)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;font-size:.9rem}
.key{display:inline-block;width:.8em;height:.8em;margin-right:.4em}
.k0{background:var(--c0)}.k1{background:var(--c1)}.k2{background:var(--c2)}.k3{background:var(--c3)}
.k4{background:var(--c4)}.k5{background:var(--c5)}.k6{background:var(--c6)}
footer{margin-top:2rem;color:var(--soft);font-size:.85rem}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#999;--paper:#fff;--zebra:#fff;
--c0:#2f4bc4;--c1:#ba5b22;--c2:#12926f;--c3:#b362e4;--c4:#b08c00;--c5:#9c1246;--c6:#7b8496}
body{max-width:none;padding:0;font-size:10pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
thead{display:table-header-group}tr,svg{break-inside:avoid}h2{break-after:avoid}.wide{overflow:visible}
table{font-size:8pt}th,.t{white-space:normal}}
"""


def to_html(evidence: Evidence) -> str:
    """Return the page."""
    said = "".join(f"<li>{_text(sentence)}</li>" for sentence in sentences(evidence))
    title = _text(evidence.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n'
        f'<body>\n<main>\n<h1>{title}</h1>\n<p class="answer">{_text(headline(evidence))}</p>\n'
        f'<ul class="said">{said}</ul>\n{_sections(evidence)}</main>\n'
        f"<footer>Made {_text(clock_of(evidence)(evidence.made))} by Sinkhole.</footer>\n</body>\n</html>\n"
    )


def _sections(evidence: Evidence) -> str:
    parts = []
    if evidence.vendors:
        parts.append(_section(without_ids(vendor_table(evidence, clock_of(evidence))), bars(evidence)))
    if evidence.by is not By.VENDOR and evidence.parts:
        parts.append(_section(without_ids(part_table(evidence, clock_of(evidence)))))
    if evidence.trend:
        parts.append(_section(trend_table(evidence, utc_day), columns(evidence)))
    if evidence.sources:
        parts.append(_section(source_table(evidence)))
    return "".join(parts)


def _section(table: Table, chart: str = "") -> str:
    heads = "".join(
        f'<th scope="col"{_class(name, table)}>{_text(heading(name))}</th>' for name in table.header
    )  # fmt: skip
    rows = "".join(f"<tr>{_cells(row, table)}</tr>" for row in table.rows)
    return (
        f"<section>\n<h2>{_text(table.title)}</h2>\n{chart}\n"
        # What scrolls can be reached by keyboard.
        f'<div class="wide" tabindex="0" role="region" aria-label="{_text(table.title)}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>\n</section>\n"
    )


def _cells(row: tuple[Cell, ...], table: Table) -> str:
    return "".join(
        f"<td{_class(name, table)}>{_cell(told(name, cell))}</td>" for name, cell in zip(table.header, row, strict=True)
    )  # fmt: skip


def _class(name: str, table: Table) -> str:
    if name in table.numeric:
        return ' class="n"'
    return ' class="t"' if name in ("first", "last") else ""


def _cell(cell: Cell) -> str:
    if cell is None:
        return "-"
    return number(cell) if isinstance(cell, int) else _text(cell)


def _text(text: str) -> str:
    """Return text that is nothing but text; what cannot be printed is made visible."""
    return escape(visible(text))
