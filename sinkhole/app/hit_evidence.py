"""Make the report of what was recorded: from hits, and from the sums of days where these are or hits are gone."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sinkhole.app.hit_lines import HitLines
from sinkhole.app.log_evidence import TITLE, vendor_names
from sinkhole.app.state import State
from sinkhole.evidence.floor import merge_few, total_or_none
from sinkhole.evidence.model import Around, By, Evidence, Line, Source
from sinkhole.evidence.trend import DAY, MONDAY, WEEK, buckets, step_of
from sinkhole.evidence.words import number, utc_day
from sinkhole.store.evidence_counts import EvidenceCounts, Recorded
from sinkhole.store.recorder import dropped


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to be about.

    Attributes:
        since, until: epoch seconds.
        by: what the second table is by.
        floor: rows of fewer clients are merged.
        step: `day` or `week`; None for what fits.
        around: compare before and after; its times are then those of the report.
        client_text: how a client is written.
    """

    since: int
    until: int
    by: By = By.VENDOR
    floor: int = 1
    step: str | None = None
    around: Around | None = None
    client_text: Callable[[str], str] = str


def hit_evidence(state: State, wanted: Wanted, made: float) -> Evidence:
    """Return the report.

    Raises:
        StoreError: the store cannot be read.
    """
    counts = EvidenceCounts(state.store, state.settings.record.attempt_window)
    recorded = counts.recorded()
    found = state.catalogue().catalogue
    name_of = vendor_names(found)
    pivot = wanted.around.at if wanted.around else None
    lines = HitLines(counts, wanted.since, wanted.until, pivot, wanted.by, name_of)
    lost = _add_lost(lines, counts, wanted, recorded)
    vendors = _with_new(lines.of(By.VENDOR), counts, wanted.since)
    step = step_of((wanted.until - wanted.since) // DAY, wanted.step)
    parts: tuple[Line, ...] = ()
    if wanted.by is not By.VENDOR:
        parts = merge_few(lines.of(wanted.by), wanted.floor, lines.union(wanted.by))
        if wanted.by is By.CLIENT:
            parts = tuple(replace(line, part=wanted.client_text(line.part)) if line.part else line for line in parts)
    width, offset = (WEEK, MONDAY) if step == "week" else (1, 0)
    days = counts.days(wanted.since, wanted.until)
    clients_of = counts.clients_by(wanted.since, wanted.until, width, offset)
    total = lines.total()
    return Evidence(
        title=TITLE,
        sources=(_source(state, total.queries),),
        since=wanted.since,
        until=wanted.until,
        made=made,
        basis=f"policy as it was, and the catalogue of {found.published.isoformat()}",
        total=total_or_none(total, wanted.floor) if lines else total,
        seen=None,
        vendors=merge_few(vendors, wanted.floor, lines.union(By.VENDOR)),
        by=wanted.by,
        parts=parts,
        step=step,
        trend=buckets(days, step, clients_of or None, wanted.floor),
        around=wanted.around,
        floor=wanted.floor,
        notes=tuple(note for note in (lost, dropped_note(state)) if note),
    )


def _add_lost(lines: HitLines, counts: EvidenceCounts, wanted: Wanted, recorded: Recorded) -> str | None:
    """Add what only the sums of days still tell, as done by nobody who is known; return what to say of it."""
    first = -(-wanted.since // DAY)
    after = wanted.until // DAY if recorded.oldest_minute is None else recorded.oldest_minute * 60 // DAY
    sums = counts.sums(first, min(after, wanted.until // DAY))
    for one in sums:
        at = one.day * DAY
        lines.add_lost(one, is_before=wanted.around is not None and at < wanted.around.at)
    if not sums:
        return None
    return f"Of the days before {utc_day(after * DAY)} only sums are kept: their attempts count, their clients do not."


def _with_new(lines: list[Line], counts: EvidenceCounts, since: int) -> list[Line]:
    """Mark vendors that were never tried before; where nothing was recorded then, none is new."""
    known = counts.vendors_before(since)
    return [replace(line, is_new=line.vendor not in known) for line in lines] if known else lines


def _source(state: State, queries: int) -> Source:
    return Source(str(state.store.path), "recorded hits", f"{number(queries)} queries for AI vendors")


def dropped_note(state: State) -> str | None:
    """Return what to say of queries that could not be recorded; None where there are none."""
    with state.store.reading() as connection:
        lost = dropped(connection)
    if not lost:
        return None
    said = "1 query could not be recorded and is" if lost == 1 else f"{lost} queries could not be recorded and are"
    return f"{said} missing here"
