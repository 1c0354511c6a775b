"""The span of time that pages tell of: chosen once, and kept in the links from one to the next."""

import time
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlencode

from pydantic import Field

from sinkhole.evidence.trend import DAY
from sinkhole.web.model import Model, Paged

Span = Literal["24h", "7d", "30d", "90d"]
SPANS: Final = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
DEFAULT: Final = "30d"
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Times:
    """A span in epoch seconds, of whole hours or days (UTC) but for its end, and what it is shown by."""

    since: int
    until: int
    step: str
    words: str

    @property
    def width(self) -> int:
        """Seconds of an hour or day."""
        return HOUR if self.step == "hour" else DAY


class Spanned(Model):
    """What a page over a time is asked."""

    span: Span = Field(DEFAULT)


class SpannedPage(Paged):
    """The same, of a list in pages."""

    span: Span = Field(DEFAULT)


def times_of(span: Span, now: float | None = None) -> Times:
    """Return the times that a span means now: its last hour or day is the one that is not over."""
    until = int(time.time() if now is None else now) + 1
    if span == "24h":
        return Times(until // HOUR * HOUR - 23 * HOUR, until, "hour", SPANS[span])
    days = int(span.removesuffix("d"))
    return Times(until // DAY * DAY - (days - 1) * DAY, until, "day", SPANS[span])


def spanned(path: str, span: str, **more: str) -> str:
    """Return an address of ours that keeps the span."""
    asked = ({} if span == DEFAULT else {"span": span}) | more
    return f"{path}?{urlencode(asked)}" if asked else path
