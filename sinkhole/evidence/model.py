"""What a report says: pure values, made from recorded hits or from logs, and written in several forms."""

import datetime as dt
from dataclasses import dataclass
from enum import Enum


class By(Enum):
    """What the second table of a report is by."""

    VENDOR = "vendor"
    CLIENT = "client"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Span:
    """What was done in one of two equal times; `clients` is None where they are not known or too few to be told."""

    clients: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Tried:
    """How often something was tried.

    Attributes:
        clients: how many different ones; None where that is not known.
        attempts: what one client does with one vendor at a time, counted once.
        queries: raw queries.
        blocked, coached: queries that policy says so of; None where no policy was asked.
        refused: queries that the resolver or proxy of the log refused itself; None where it does not tell.
        first, last: epoch seconds; None where they are not told.
    """

    clients: int | None
    attempts: int
    queries: int
    blocked: int | None = None
    coached: int | None = None
    refused: int | None = None
    first: float | None = None
    last: float | None = None

    @property
    def allowed(self) -> int | None:
        """Queries that were answered truly; None where no policy was asked."""
        if self.blocked is None or self.coached is None:
            return None
        return self.queries - self.blocked - self.coached


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a report.

    Attributes:
        part: the client or group; None in the table of vendors, and for clients in no group.
        vendor: id; None where rows were merged.
        name: of the vendor, for people.
        jurisdiction: of the vendor, None where that is not known.
        tried: None where too few clients tried it to tell anything.
        is_new: whether the vendor was never seen before.
        before, after: around a day, where one was given.
        merged: how many rows of few clients this one stands for; 0 for a row of its own.
    """

    part: str | None
    vendor: str | None
    name: str
    jurisdiction: str | None
    tried: Tried | None
    is_new: bool = False
    before: Span | None = None
    after: Span | None = None
    merged: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """Attempts of one day or week by vendor, from `start` (epoch seconds, midnight UTC).

    `clients` is None where they are not known. With `is_withheld` there were too few to tell more.
    """

    start: int
    clients: int | None
    attempts: dict[str, int]
    is_withheld: bool = False

    @property
    def total(self) -> int:
        """Attempts of all vendors."""
        return sum(self.attempts.values())


@dataclass(frozen=True, slots=True)
class Source:
    """Where numbers come from: a file or the store, and what is to be said of it."""

    name: str
    kind: str
    said: str


@dataclass(frozen=True, slots=True)
class Around:
    """Two equal times: `seconds` before and after `at` (epoch seconds); `what` happened then."""

    at: int
    seconds: int
    what: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A whole report.

    Attributes:
        since, until: epoch seconds; None where nothing was found.
        made: epoch seconds.
        basis: what names were judged by.
        total: all vendors together; None where too few clients tried any.
        seen: different clients of the log, whatever they asked for; None where that is not known.
        vendors: rows by vendor, most attempts first.
        by: what `parts` are by.
        parts: rows by client or group, and vendor; empty where `by` is the vendor.
        step: `day` or `week`, of the trend.
        floor: rows of fewer clients than this are merged; 1 for none.
        notes: sentences that a reader has to know.
        zone: in which times are written for people; None for that of this machine.
    """

    title: str
    sources: tuple[Source, ...]
    since: float | None
    until: float | None
    made: float
    basis: str
    total: Tried | None
    seen: int | None
    vendors: tuple[Line, ...]
    by: By
    parts: tuple[Line, ...]
    step: str
    trend: tuple[Bucket, ...]
    around: Around | None = None
    floor: int = 1
    notes: tuple[str, ...] = ()
    zone: dt.tzinfo | None = None

    @property
    def new_vendors(self) -> tuple[str, ...]:
        """Names of the vendors that were never seen before."""
        return tuple(line.name for line in self.vendors if line.is_new)
