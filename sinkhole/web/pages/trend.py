"""Attempts over time, drawn: a plot for wide and one for narrow screens, with legend and marks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sinkhole.app.policy_moves import PolicyMove
from sinkhole.app.state import State
from sinkhole.evidence.chart import trend_plot
from sinkhole.evidence.model import Bucket
from sinkhole.evidence.plot import NARROW, WIDE, Mark, Plot, legend, merged_marks, stacked
from sinkhole.evidence.words import utc_time
from sinkhole.policy.subject import SubjectKind
from sinkhole.store.evidence_counts import EvidenceCounts
from sinkhole.store.hour_counts import attempts_by_hour
from sinkhole.web.pages.span import Times

_MARKED = (
    SubjectKind.AI, SubjectKind.JURISDICTION, SubjectKind.CATEGORY, SubjectKind.MODELS, SubjectKind.VENDOR,
    SubjectKind.PRODUCT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plot as a page has it. The SVG is put in as it stands: `evidence.plot` escapes each name that is in it."""

    plot: Plot
    wide: str
    narrow: str
    legend: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.wide


def trend_of(state: State, times: Times, vendor: str | None = None) -> tuple[Bucket, ...]:
    """Return attempts by hour or day without holes, from the sums of days where there are.

    Args:
        vendor: of this one alone; None: of all.
    """
    window = state.settings.record.attempt_window
    if times.step == "hour":
        found = attempts_by_hour(state.store, window, times.since, times.until)
    else:
        counts = EvidenceCounts(state.store, window)
        found = counts.days(times.since, times.until, vendor)
    return buckets_of(found, times, vendor)


def buckets_of(found: Mapping[int, Mapping[str, int]], times: Times, vendor: str | None = None) -> tuple[Bucket, ...]:
    """Return buckets without holes, from attempts by hours or days since the epoch."""
    buckets = []
    for place in range(times.since // times.width, (times.until - 1) // times.width + 1):
        here = found.get(place, {})
        told = {one: count for one, count in here.items() if one and vendor in (None, one)}
        buckets.append(Bucket(place * times.width, None, told))
    return tuple(buckets)


def draw(
    name: str, trend: Sequence[Bucket], times: Times, names: Mapping[str, str], moves: Iterable[PolicyMove]
) -> Drawn:
    """Draw a trend.

    Args:
        name: begins the ids within the drawing.
        names: of vendors, by their ids.
        moves: what is marked.
    """
    marks = merged_marks(
        [
            Mark((move.at - times.since) / times.width, move.said)
            for move in moves
            if move.subject.kind in _MARKED and times.since <= move.at < times.until
        ]
    )
    dated = tuple(replace(one, said=f"{utc_time(_at(one, times))[:10]}: {one.said}") for one in marks)
    return draw_trend(name, trend, times.step, names, dated)


def _at(mark: Mark, times: Times) -> int:
    return times.since + int(mark.place * times.width)


def draw_trend(
    name: str, trend: Sequence[Bucket], step: str, names: Mapping[str, str], marks: tuple[Mark, ...] = ()
) -> Drawn:
    """Draw a trend of hours, days or weeks, with marks by their places."""
    plot = trend_plot(trend, step, names, f"{name}-w", marks)
    small = replace(plot, id=f"{name}-n")
    return Drawn(plot, stacked(plot, WIDE), stacked(small, NARROW), legend(plot))
