"""Days, and weeks where days would be too many."""

from collections.abc import Mapping
from typing import Final

from sinkhole.evidence.model import Bucket

DAY: Final = 86_400
WEEK: Final = 7
_MOST_BUCKETS: Final = 400
MOST_DAYS: Final = 62
"""Days that are shown one by one."""
MONDAY: Final = 3
"""The first of January 1970 was a Thursday: days since then, and these, begin a week."""


def step_of(days: int, wanted: str | None) -> str:
    """Return `day` or `week`: what is wanted, else what keeps a trend of so many days readable."""
    return wanted or ("day" if days <= MOST_DAYS else "week")


def buckets(
    days: Mapping[int, Mapping[str, int]],
    step: str,
    clients_of: Mapping[int, int] | None = None,
    floor: int = 1,
) -> tuple[Bucket, ...]:
    """Return the trend, without holes unless there would be hundreds.

    Args:
        days: days since the epoch (UTC) to attempts by vendor.
        clients_of: start of a day or week (in days since the epoch) to how many clients; None where not known.
        floor: of fewer clients than this nothing is told; of the others not which vendor.
    """
    if not days:
        return ()
    width = WEEK if step == "week" else 1
    spans = range(start_of(min(days), step), start_of(max(days), step) + 1, width)
    # A log with a clock that was wrong once may leave decades without anything.
    found: dict[int, dict[str, int]] = {day: {} for day in spans} if len(spans) <= _MOST_BUCKETS else {}
    for day, attempts in sorted(days.items()):
        here = found.setdefault(start_of(day, step), {})
        for vendor, count in attempts.items():
            here[vendor] = here.get(vendor, 0) + count
    return tuple(_bucket(day, here, clients_of, floor) for day, here in found.items())


def start_of(day: int, step: str) -> int:
    """Return the day on which the day or week of a day begins."""
    return day - (day + MONDAY) % WEEK if step == "week" else day


def _bucket(day: int, attempts: dict[str, int], clients_of: Mapping[int, int] | None, floor: int) -> Bucket:
    clients = None if clients_of is None else clients_of.get(day, 0)
    if floor > 1 and attempts:
        if clients is None or clients < floor:
            return Bucket(day * DAY, None, {}, is_withheld=True)
        attempts = {"": sum(attempts.values())}
    return Bucket(day * DAY, clients, attempts)
