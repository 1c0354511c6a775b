"""A plot of stacked columns over time, as SVG: axis, gridlines, marks, titles to point at; colours are the page's.

A page has the classes `c0` to `c6` (the last for what is together), `grid`, `axis`, `mark`, `at` (the whole height of a
column, to point at) and `chart`. Columns that lie on each other are parted by a line, so that nobody has to tell
colours apart to see where one ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from sinkhole.evidence.words import number, visible

SERIES = 7
"""Colours of the page: `c0` to `c6`, the last for what is together."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `label` below it where there is room, `title` in full, and what each series has of it."""

    label: str
    title: str
    counts: tuple[int, ...]
    is_withheld: bool = False

    @property
    def total(self) -> int:
        """Height of the column."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: `place` is in columns from the left, 0 is the left edge of the first."""

    place: float
    said: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn.

    Attributes:
        id: begins the ids within; no two of a page have the same.
        title, said: the plot in a few words, and what it shows in a sentence, for who cannot see it.
        series: names; where `has_rest`, the last is what is together.
        marks: in order of their places.
    """

    id: str
    title: str
    said: str
    series: tuple[str, ...]
    columns: tuple[Column, ...]
    has_rest: bool = False
    marks: tuple[Mark, ...] = ()

    def colour(self, series: int) -> int:
        """Return the number of the colour of a series."""
        return SERIES - 1 if self.has_rest and series == len(self.series) - 1 else min(series, SERIES - 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """How large it is drawn, in units that are pixels where it is as wide as it may be; `labels` fit below it."""

    width: int
    height: int
    left: int
    labels: int
    top: int = 24
    bottom: int = 26


WIDE = Frame(860, 300, 52, 9)
NARROW = Frame(360, 250, 40, 4)
"""For a screen as wide as a hand: the text stays readable."""


def stacked(plot: Plot, frame: Frame = WIDE) -> str:
    """Return the plot; empty where there is nothing to draw."""
    most = max((column.total for column in plot.columns), default=0)
    if not most:
        return ""
    ticks = ticks_to(most)
    room, floor = frame.width - frame.left - 4, frame.height - frame.bottom
    scale = (floor - frame.top) / ticks[-1]
    step = room / len(plot.columns)
    name = escape(plot.id)
    parts = [
        f'<svg viewBox="0 0 {frame.width} {frame.height}" role="img" aria-labelledby="{name}-t {name}-d" class="chart">'
        f'<title id="{name}-t">{_text(plot.title)}</title><desc id="{name}-d">{_text(plot.said)}</desc>'
    ]
    for tick in ticks:
        y = floor - tick * scale
        parts.append(
            f'<path class="{"grid" if tick else "axis"}" d="M{frame.left} {y:.1f}H{frame.width}"/>'
            f'<text x="{frame.left - 7}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>'
        )
    for place, column in enumerate(plot.columns):
        parts.append(_column(plot, column, frame.left + place * step, step, (frame.top, floor), scale))
    parts += _labels(plot.columns, frame, step)
    parts += [_mark(mark, at, frame.left + mark.place * step, frame, floor) for at, mark in enumerate(plot.marks, 1)]
    return "".join([*parts, "</svg>"])


def legend(plot: Plot) -> str:
    """Return the names of the series with their colours; empty where there is none."""
    if not plot.series:
        return ""
    told = "".join(
        f'<li><span class="key k{plot.colour(place)}"></span>{_text(name)}</li>'
        for place, name in enumerate(plot.series)
    )
    return f'<ul class="legend">{told}</ul>'


def ticks_to(most: int) -> list[int]:
    """Return round numbers from 0 to at least `most`, some four of them."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            step = factor * power
            if most <= 4 * step:
                return [step * count for count in range(-(-most // step) + 1)]
        power *= 10


def _column(plot: Plot, column: Column, left: float, step: float, ends: tuple[int, int], scale: float) -> str:
    top, floor = ends
    told = [f"{name}: {number(count)}" for name, count in zip(plot.series, column.counts, strict=True) if count]
    title = "\n".join(map(_text, [f"{column.title}: {number(column.total)}", *reversed(told)]))
    if column.is_withheld:
        title = _text(f"{column.title}: too few clients to be told")
    gap = min(step * 0.2, 6)
    parts = [f'<g><title>{title}</title><path class="at" d="M{left:.1f} {top}H{left + step:.1f}V{floor}H{left:.1f}Z"/>']
    base = float(floor)
    for series, count in enumerate(column.counts):
        if count:
            height = count * scale
            base -= height
            parts.append(
                f'<rect x="{left + gap / 2:.1f}" y="{base:.1f}" width="{max(1.0, step - gap):.1f}" '
                f'height="{height:.1f}" class="c{plot.colour(series)}"/>'
            )
    if column.is_withheld:
        parts.append(f'<text x="{left + step / 2:.1f}" y="{floor - 4}" text-anchor="middle">·</text>')
    return "".join([*parts, "</g>"])


def _labels(columns: Sequence[Column], frame: Frame, step: float) -> list[str]:
    """Return as many labels as fit, the last column always among them."""
    every = -(-len(columns) // frame.labels)
    places = list(range(len(columns) - 1, -1, -every))
    y = frame.height - 8
    found = []
    for place in places:
        x = frame.left + (place + 0.5) * step
        is_last = x > frame.width - 24
        x, anchor = (frame.width - 2, "end") if is_last else (x, "middle")
        found.append(f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{_text(columns[place].label)}</text>')
    return found


def _mark(mark: Mark, number_of: int, x: float, frame: Frame, floor: int) -> str:
    return (
        f'<g class="mark"><title>{_text(mark.said)}</title><path d="M{x:.1f} 18V{floor}"/>'
        f'<circle cx="{x:.1f}" cy="10" r="9"/><text x="{x:.1f}" y="14" text-anchor="middle">{number_of}</text></g>'
    )


def _text(text: str) -> str:
    """Return text that is nothing but text; what cannot be printed is made visible."""
    return escape(visible(text))


def merged_marks(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return marks in order, those of the same column as one: their numbers would lie on each other."""
    found: list[Mark] = []
    for mark in sorted(marks, key=lambda one: one.place):
        if found and int(found[-1].place) == int(mark.place):
            found[-1] = Mark(found[-1].place, f"{found[-1].said}; {mark.said}")
        else:
            found.append(mark)
    return tuple(found)
