"""Charts as SVG: bars of vendors, and columns of days or weeks; each says in words what it shows."""

from collections.abc import Mapping, Sequence
from html import escape

from sinkhole.evidence.model import Bucket, Evidence
from sinkhole.evidence.plot import Column, Mark, Plot, legend, stacked
from sinkhole.evidence.tables import leading_in
from sinkhole.evidence.words import number, short_day, utc_day, utc_time

_WIDTH = 720
_BAR = 22
_LABEL = 190
_MOST_BARS = 12


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
    names = {line.vendor: line.name for line in evidence.vendors if line.vendor}
    plot = trend_plot(evidence.trend, evidence.step, names, "columns")
    chart = stacked(plot) if len(plot.columns) > 1 else ""
    return chart + legend(plot) if chart else ""


def trend_plot(
    trend: Sequence[Bucket], step: str, names: Mapping[str, str], name: str, marks: tuple[Mark, ...] = ()
) -> Plot:
    """Return what is drawn of a trend.

    Args:
        step: what a bucket is: `hour`, `day` or `week`.
        names: of vendors, by their ids.
        name: begins the ids within the drawing.
    """
    vendors, has_rest = leading_in(trend)
    # With a floor the vendors of a day are not told: then all of it is one.
    is_one = not vendors and any(bucket.total for bucket in trend)
    series = [_short(names.get(vendor) or vendor) for vendor in vendors]
    series += ["others"] if has_rest else ["all vendors"] if is_one else []
    drawn = []
    for bucket in trend:
        counts = [bucket.attempts.get(vendor, 0) for vendor in vendors]
        rest = [bucket.total - sum(counts)] if has_rest or is_one else []
        drawn.append(Column(*_when(bucket.start, step), (*counts, *rest), bucket.is_withheld))
    return Plot(name, f"Attempts by {step}", _said(trend, step), tuple(series), tuple(drawn), has_rest, marks)


def _said(trend: Sequence[Bucket], step: str) -> str:
    if not trend:
        return ""
    top = max(trend, key=lambda bucket: bucket.total)
    first, last, most = (_when(bucket.start, step)[1] for bucket in (trend[0], trend[-1], top))
    return f"{len(trend)} {step}s from {first} to {last}; most in {most}: {top.total}"


def _when(start: int, step: str) -> tuple[str, str]:
    """Return a bucket's time as an axis has room for it, and in full."""
    if step == "hour":
        return utc_time(start)[11:16], f"{utc_time(start)[:16].replace('T', ' ')} UTC"
    return short_day(start), utc_day(start) if step == "day" else f"the week from {utc_day(start)}"


def _begin(name: str, height: int, title: str, said: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{name}-t {name}-d" class="chart">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(said)}</desc>'
    )


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"
