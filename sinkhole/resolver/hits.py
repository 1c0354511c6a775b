"""Count what was asked, in memory and bounded: equal queries of one minute become one row.

Nothing here waits or writes (R-D01); the worker drains rows and hands them to the control process. When more rows are
new than are drained, the names of further ones are not kept, only the domain they are below (`*.example.org`): counts
of clients, vendors and rules stay right. Where there is no room for that either, queries are dropped and counted.
"""

from datetime import datetime
from itertools import islice
from typing import Final

from sinkhole.config.schema import RecordSettings
from sinkhole.policy.hit import HitRow
from sinkhole.policy.place import registered_label
from sinkhole.policy.verdict import NO_MATCH, Action, Verdict

MAX_ROWS = 100_000
"""Rows held, about 40 MB: at 1,000 different (client, name) pairs a second more than a minute without a recorder.

A tenth of that on top may be rows for all names below a domain.
"""

CANARY = "sinkhole-canary."
"""First label of the names by which `doctor` asks whether blocking works: nobody's try, so they are not counted."""

_Key = tuple[int, str, str | None, str, int, Action, str | None, str | None, str | None, str | None]
_Tally = list[int]
"""How often, and from when to when in epoch seconds; no class, since a flood makes one a query."""
_WORDS: Final = {action: str(action) for action in Action}


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
                self._count_below(key, second, times)
            else:
                self._rows[key] = [times, second, second]
            return
        _add(tally, second, times)

    def _count_below(self, key: _Key, second: int, times: int) -> None:
        """Count for the domain that a name is below: there is no room for names."""
        key = (*key[:3], _all_below(key[3]), *key[4:])
        tally = self._rows.get(key)
        if tally is not None:
            _add(tally, second, times)
        elif len(self._rows) < self._max_rows + self._max_rows // 10:
            self._rows[key] = [times, second, second]
        else:
            self._dropped += times

    def drain(self, limit: int) -> list[HitRow]:
        """Take out and return at most `limit` rows, the oldest first.

        A minute need not be over: what is counted later comes as a further row, and the recorder adds them up.
        """
        rows = self._rows
        return [_row(key, rows.pop(key)) for key in list(islice(rows, limit))]

    def take_dropped(self) -> int:
        """Return how many queries were not counted since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped


def _add(tally: _Tally, second: int, times: int) -> None:
    tally[0] += times
    # A clock that is set back within the minute must not leave a row that ends before it begins (R-D10).
    if second < tally[1]:
        tally[1] = second
    elif second > tally[2]:
        tally[2] = second


def _all_below(name: str) -> str:
    """Return `*.` and the domain that somebody registered, or `*` where nobody could have."""
    labels = [label for label in name.split(".") if label]
    start = registered_label(tuple(label.encode() for label in labels))
    return "*" if start is None else ".".join(("*", *labels[start:]))


def _row(key: _Key, tally: _Tally) -> HitRow:
    minute, client, group, name, qtype, action, vendor, product, feed, subject = key
    return HitRow(minute, client, group, name, qtype, _WORDS[action], vendor, product, feed, subject, *tally)
