"""Count what was asked, in memory and bounded: equal queries of one minute become one row.

Nothing here waits or writes (R-D01); the worker drains rows and hands them to the control process. When rows are not
drained, new ones are dropped and counted, the old ones stay.
"""

from datetime import datetime
from itertools import islice

from sinkhole.config.schema import RecordSettings
from sinkhole.policy.hit import HitRow
from sinkhole.policy.verdict import NO_MATCH, Action, Verdict

MAX_ROWS = 100_000
"""Rows held, about 40 MB: at 1,000 different (client, name) pairs a second more than a minute without a recorder."""

CANARY = "sinkhole-canary."
"""First label of the names by which `doctor` asks whether blocking works: nobody's try, so they are not counted."""

_Key = tuple[int, str, str | None, str, int, Action, str | None, str | None, str | None, str | None]


class _Tally:
    """How often, and from when to when."""

    __slots__ = ("count", "first", "last")

    def __init__(self, second: int) -> None:
        self.count = 0
        self.first = second
        self.last = second


class Hits:
    """Counts verdicts; which of them are recorded is a setting."""

    def __init__(self, settings: RecordSettings, max_rows: int = MAX_ROWS) -> None:
        self._queries = settings.queries
        self._max_rows = max_rows
        self._rows: dict[_Key, _Tally] = {}
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._rows)

    def wants(self, verdict: Verdict | None) -> bool:
        """Whether a query with this verdict is recorded; asked before a name is made readable, which costs."""
        if self._queries in ("none", "all"):
            return self._queries == "all"
        if verdict is None:
            return False
        return verdict.action is not Action.ALLOW or (self._queries == "matched" and verdict.subject is not None)

    def count(
        self, client: str, name: str, qtype: int, verdict: Verdict | None, when: datetime, times: int = 1
    ) -> None:
        """Count one query, or `times` equal ones, if the settings want it.

        Args:
            client: address of the client.
            name: the name that was asked for, in escaped text.
            verdict: None for a name that policy was not asked about.
        """
        if not self.wants(verdict) or name.startswith(CANARY):
            return
        verdict = verdict or NO_MATCH
        second = int(when.timestamp())
        key = (
            second // 60, client, verdict.group, name, qtype, verdict.action,
            verdict.vendor, verdict.product, verdict.feed, verdict.override or verdict.subject,
        )  # fmt: skip
        tally = self._rows.get(key)
        if tally is None:
            if len(self._rows) >= self._max_rows:
                self._dropped += times
                return
            tally = self._rows[key] = _Tally(second)
        tally.count += times
        # A clock that is set back within the minute must not leave a row that ends before it begins (R-D10).
        tally.first = min(tally.first, second)
        tally.last = max(tally.last, second)

    def drain(self, limit: int) -> list[HitRow]:
        """Take out and return at most `limit` rows, the oldest first.

        A minute need not be over: what is counted later comes as a further row, and the recorder adds them up.
        """
        keys = list(islice(self._rows, limit))
        return [_row(key, self._rows.pop(key)) for key in keys]

    def take_dropped(self) -> int:
        """Return how many queries were not counted since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped


def _row(key: _Key, tally: _Tally) -> HitRow:
    minute, client, group, name, qtype, action, vendor, product, feed, subject = key
    return HitRow(
        minute=minute, client=client, group=group, name=name, qtype=qtype, action=str(action),
        vendor=vendor, product=product, feed=feed, subject=subject,
        count=tally.count, first=tally.first, last=tally.last,
    )  # fmt: skip
