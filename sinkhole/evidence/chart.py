"""Charts as SVG: bars of vendors, and columns of days or weeks; each says in words what it shows."""

from collections.abc import Sequence
from html import escape

from sinkhole.evidence.model import Evidence
from sinkhole.evidence.tables import leading
from sinkhole.evidence.words import number, utc_day

_WIDTH = 720
_BAR = 22
_LABEL = 190
_MOST_BARS = 12
_HEIGHT = 200
_AXIS = 24
_TEXT = 12
SERIES = 7
"""Colours of the page: `--c0` to `--c6`, the last for what is together."""


def bars(evidence: Evidence) -> str:
    """Return the vendors with the most attempts as bars; empty where there is nothing to draw."""
    lines = [line for line in evidence.vendors if line.tried is not None and line.tried.attempts][:_MOST_BARS]
    if not lines:
        return ""
    values = [line.tried.attempts for line in lines if line.tried is not None]
    most, height = max(values), _BAR * len(lines) + 4
    said = ", ".join(f"{line.name} {value}" for line, value in zip(lines, values, strict=True))
    parts = [_begin("bars", height, "Attempts by vendor", said)]
    room = _WIDTH - _LABEL - 70
    for place, (line, value) in enumerate(zip(lines, values, strict=True)):
        top = place * _BAR + 2
        width = max(1.0, room * value / most)
        parts.append(
            f'<text x="{_LABEL - 8}" y="{top + 14}" text-anchor="end">{escape(_short(line.name))}</text>'
            f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR - 5}" rx="2" class="c0"/>'
            f'<text x="{_LABEL + width + 6:.1f}" y="{top + 14}">{number(value)}</text>'
        )
    return "".join([*parts, "</svg>"])


def columns(evidence: Evidence) -> str:
    """Return the trend as stacked columns; empty where there are fewer than two days or weeks."""
    trend = evidence.trend
    most = max((bucket.total for bucket in trend), default=0)
    if len(trend) < 2 or not most:
        return ""
    vendors, has_rest = leading(evidence)
    top = max(trend, key=lambda bucket: bucket.total)
    said = (
        f"{len(trend)} {evidence.step}s from {utc_day(trend[0].start)} to {utc_day(trend[-1].start)}; "
        f"most in the {evidence.step} from {utc_day(top.start)}: {top.total}"
    )
    parts = [_begin("columns", _HEIGHT + _AXIS, f"Attempts by {evidence.step}", said)]
    step = (_WIDTH - 50) / len(trend)
    parts.append(f'<text x="44" y="{_TEXT}" text-anchor="end">{number(most)}</text>')
    parts.append(f'<line x1="48" y1="{_HEIGHT}" x2="{_WIDTH}" y2="{_HEIGHT}" class="axis"/>')
    for place, bucket in enumerate(trend):
        left, base = 50 + place * step, float(_HEIGHT)
        for series, count in _stack(bucket.attempts, vendors, has_rest):
            height = (_HEIGHT - 6) * count / most
            base -= height
            parts.append(
                f'<rect x="{left:.1f}" y="{base:.1f}" width="{max(1.0, step - 2):.1f}" height="{height:.1f}" '
                f'class="c{series}"/>'
            )
        if bucket.is_withheld:
            parts.append(f'<text x="{left + step / 2:.1f}" y="{_HEIGHT - 4}" text-anchor="middle">·</text>')
    parts.append(_axis_label(50, "start", trend[0].start) + _axis_label(_WIDTH, "end", trend[-1].start))
    return "".join([*parts, "</svg>", _legend(evidence, vendors, has_rest)])


def _stack(attempts: dict[str, int], vendors: Sequence[str], has_rest: bool) -> list[tuple[int, int]]:
    found = [(series, attempts[vendor]) for series, vendor in enumerate(vendors) if attempts.get(vendor)]
    rest = sum(attempts.values()) - sum(count for _, count in found)
    # With a floor the vendors of a day are not told: then all of it is one.
    return [*found, (SERIES - 1 if has_rest else 0, rest)] if rest else found


def _legend(evidence: Evidence, vendors: Sequence[str], has_rest: bool) -> str:
    names = {line.vendor: line.name for line in evidence.vendors}
    items = [(series, names.get(vendor) or vendor) for series, vendor in enumerate(vendors)]
    if has_rest:
        items.append((SERIES - 1, "others"))
    if not items:
        return ""
    told = "".join(f'<li><span class="key k{series}"></span>{escape(name)}</li>' for series, name in items)
    return f'<ul class="legend">{told}</ul>'


def _begin(name: str, height: int, title: str, said: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{name}-t {name}-d" class="chart">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(said)}</desc>'
    )


def _axis_label(x: int, anchor: str, start: int) -> str:
    return f'<text x="{x}" y="{_HEIGHT + 16}" text-anchor="{anchor}">{utc_day(start)}</text>'


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"
