"""Which spans there may be, and what of a time they leave."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sinkhole.store.span_sql import Edge

LEVELS = (384, 96, 24, 6, 1)
"""Hours of a span; each is a multiple of the next, and begins at a multiple of itself since the epoch."""
HOUR = 3600


class Chosen(NamedTuple):
    """A span that is counted: how long, when it begins (hours since the epoch), and the number of its counting."""

    hours: int
    begin: int
    serial: int


def places_of(spans: Iterable[Chosen]) -> list[tuple[int, int]]:
    """Return hours and begin of spans."""
    return [(one.hours, one.begin) for one in spans]


def between(chosen: Sequence[Chosen], since: Edge, until: Edge) -> Iterator[tuple[Edge, Edge]]:
    """Yield what of a time is in none of the spans that were chosen."""
    left = since
    for hours, at, _ in chosen:
        if at * HOUR > left.at:
            yield left, Edge(at * HOUR)
        left = Edge((at + hours) * HOUR)
    if until.at > left.at:
        yield left, until


def runs(chosen: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return hours, first and last of spans of one length that follow one another."""
    found: list[tuple[int, int, int]] = []
    for hours, at in sorted(chosen):
        if found and found[-1][0] == hours and found[-1][2] + hours == at:
            found[-1] = (hours, found[-1][1], at)
        else:
            found.append((hours, at, at))
    return found


def other_steps(hours: int, whole: Sequence[int], since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """Yield the steps of a time that are not among some, each with what of the time is in it."""
    known, width = set(whole), hours * HOUR
    for step in range(since // width, -(-until // width)):
        if step not in known:
            yield step, max(since, step * width), min(until, (step + 1) * width)
