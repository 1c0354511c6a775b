"""What a report says in sentences, and how times and numbers are written in it."""

import datetime as dt
from collections.abc import Callable

from sinkhole.evidence.model import Evidence

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""In the language of the pages, whatever that of this machine is."""


def visible(text: str) -> str:
    """Return text in which control characters, escapes and direction marks are shown instead of obeyed."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def utc_time(at: float) -> str:
    """Return a time as programs read it: ISO 8601, to the second, in UTC."""
    return dt.datetime.fromtimestamp(int(at), dt.UTC).isoformat(timespec="seconds")


def utc_day(at: float) -> str:
    """Return a day in UTC as an ISO date."""
    return dt.datetime.fromtimestamp(int(at), dt.UTC).date().isoformat()


def short_day(at: float) -> str:
    """Return a day in UTC as an axis has room for it: `7 Nov`."""
    day = dt.datetime.fromtimestamp(int(at), dt.UTC)
    return f"{day.day} {_MONTHS[day.month - 1]}"


def clock_of(evidence: Evidence) -> Callable[[float], str]:
    """Return what writes a time as people read it, to the minute, in the zone of a report."""

    def told(at: float) -> str:
        return dt.datetime.fromtimestamp(int(at), dt.UTC).astimezone(evidence.zone).strftime("%Y-%m-%d %H:%M")

    return told


def number(count: int) -> str:
    """Return a number with commas between thousands."""
    return f"{count:,}"


def headline(evidence: Evidence) -> str:
    """Return the answer in one sentence."""
    total = evidence.total
    if total is None:
        return f"Fewer than {evidence.floor} clients tried an AI vendor; nothing more is told of so few."
    if not total.attempts:
        return "Nobody tried an AI vendor."
    vendors = len([line for line in evidence.vendors if not line.merged]) + sum(
        line.merged for line in evidence.vendors
    )
    tried = f"{_count(vendors, 'AI vendor')} in {_count(total.attempts, 'attempt')}"
    if not total.clients:
        return f"Clients tried {tried}; clients are not stored, so they are not counted."
    of = "" if evidence.seen is None else f" of {number(evidence.seen)}"
    return f"{number(total.clients)}{of} {'client' if total.clients == 1 and not of else 'clients'} tried {tried}."


def sentences(evidence: Evidence) -> list[str]:
    """Return what else a reader has to know: times, basis, what is new, how rows were merged, notes."""
    said = []
    in_words = clock_of(evidence)
    if evidence.since is not None and evidence.until is not None:
        zone = "local time" if evidence.zone is None else f"times of {evidence.zone}"
        said.append(
            f"From {in_words(evidence.since)} to {in_words(evidence.until)}, {zone}; {evidence.step}s are those of UTC."
        )
    said.append(f"Judged by {evidence.basis}. What one client does with one vendor at a time counts as one attempt.")
    if evidence.around is not None:
        days = evidence.around.seconds / 86_400
        said.append(
            f"Before and after: the {days:.3g} days before and after {in_words(evidence.around.at)} "
            f"({evidence.around.what})."
        )
    if evidence.new_vendors:
        said.append(f"New in this time: {', '.join(evidence.new_vendors)}.")
    if evidence.floor > 1:
        said.append(
            f"Where fewer than {evidence.floor} clients are meant, rows are merged and nothing more is told of them."
        )
    return [*said, *evidence.notes]


def _count(count: int, noun: str) -> str:
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"
