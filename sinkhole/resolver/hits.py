"""Count what was asked, in memory and bounded: equal queries of one minute become one row.

Nothing here waits or writes (R-D01); the worker drains rows and hands them to the control process. A client that asks
for more names in a minute than `record.names_per_client`, or more rows than are drained, and the names of further ones
are not kept, only the domain they are below (`*.example.org`), and beyond as many domains nothing of them (`*`): counts
of clients, vendors and rules stay right. Where there is no room for that either, queries are dropped and counted.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Final

from sinkhole.config.schema import RecordSettings
from sinkhole.policy.hit import HitRow
from sinkhole.policy.place import registered_label
from sinkhole.policy.verdict import NO_MATCH, Action, Verdict
from sinkhole.protocol.names import labels_of, name_from_text, name_of, name_to_text

MAX_ROWS: Final = 100_000
"""Rows held, about 40 MB: at 1,000 different (client, name) pairs a second more than a minute without a recorder.

A tenth of that on top may be rows for all names below a domain.
"""

MAX_MERGED: Final = 10_000
"""Rows for all names below a domain that are found without making their key; then they are looked for anew."""

CANARY: Final = "sinkhole-canary."
"""First label of the names by which `doctor` asks whether blocking works: nobody's try, so they are not counted."""
_CANARY: Final = name_from_text(CANARY)[:-1]

_Name = bytes | str
"""A name in wire form, which is made readable when its row leaves; or what stands in its place, in words."""
_Key = tuple[int, str, str | None, _Name, int, Action, str | None, str | None, str | None, str | None]
_TELLING: Final = 3
"""How many labels tell which domain somebody registered, by the guess of `place`."""
_WORDS: Final = {action: str(action) for action in Action}


class Tally:
    """How often, and from when to when in epoch seconds; `is_taken` from when its row has been taken out."""

    __slots__ = ("first", "is_taken", "last", "times")

    def __init__(self, times: int, second: int) -> None:
        self.is_taken = False
        self.times = times
        self.first = self.last = second

    def add(self, second: int, times: int) -> None:
        """Count some more."""
        self.times += times
        # A clock that is set back within the minute must not leave a row that ends before it begins (R-D10).
        if second < self.first:
            self.first = second
        elif second > self.last:
            self.last = second


class _Merged:
    """Where names below a domain are counted together: those that one client asks for and that get one verdict."""

    __slots__ = ("client", "qtype", "tallies", "verdict")

    def __init__(self, client: str, qtype: int, verdict: Verdict) -> None:
        self.client = client
        self.qtype = qtype
        self.verdict = verdict
        self.tallies: dict[bytes, Tally] = {}


class Hits:
    """Counts verdicts; which of them are recorded is a setting."""

    def __init__(self, settings: RecordSettings, max_rows: int = MAX_ROWS) -> None:
        self._wants_all = settings.queries == "all"
        self._wants_none = settings.queries == "none"
        self._wants_matched = settings.queries == "matched"
        self._max_rows = max_rows
        self._max_names = settings.names_per_client
        self._minute = 0
        self._names: dict[str, set[bytes]] = {}
        self._named = 0
        self._domains: dict[str, set[str]] = {}
        self._merging = 0
        self._rows: dict[_Key, Tally] = {}
        self._merged_rows: dict[tuple[str, int, int], _Merged] = {}
        self._merged_tallies = 0
        self._last = _Merged("", 0, NO_MATCH)
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._rows)

    def wants(self, verdict: Verdict | None) -> bool:
        """Whether a query with this verdict is recorded; asked before a name is made readable, which costs."""
        if self._wants_all:
            return True
        if verdict is None or self._wants_none:
            return False
        return verdict.action is not Action.ALLOW or (self._wants_matched and verdict.subject is not None)

    def count(
        self, client: str, name: bytes, qtype: int, verdict: Verdict | None, when: datetime, times: int = 1
    ) -> None:
        """Count one query, or `times` equal ones, if the settings want it.

        Args:
            client: address of the client.
            name: the name that was asked for, in wire form and folded.
            verdict: None for a name that policy was not asked about.
        """
        if self.wants(verdict):
            self.add(client, name, qtype, verdict or NO_MATCH, int(when.timestamp()), times)

    def add_new(self, client: str, name: bytes, domain: bytes, qtype: int, verdict: Verdict, second: int) -> None:
        """Count one query, as `add`; in less time where a row for all names below a domain is there already.

        Args:
            domain: the last two labels of the name, folded.
        """
        merged = self._last
        # Who floods asks in the same way.
        if merged.client != client or merged.verdict is not verdict or merged.qtype != qtype:
            place = (client, qtype, id(verdict))
            merged = self._last = self._merged_rows.get(place) or _Merged(client, qtype, verdict)
        known = merged.tallies.get(domain)
        is_right = known is not None and not known.is_taken and second // 60 == self._minute
        if known is not None and is_right and name not in self._names.get(client, ()):
            known.add(second, 1)
            return
        tally = self.add(client, name, qtype, verdict, second)
        if tally is not None and _below_last_two(domain) is not None:
            if self._merged_tallies >= MAX_MERGED:
                self._forget_merged()
            if self._last is not merged:  # forgotten, here or where a minute began
                merged = self._last = _Merged(client, qtype, verdict)
            self._merged_tallies += 1
            merged.tallies[domain] = tally
            self._merged_rows[client, qtype, id(verdict)] = merged

    def add(self, client: str, name: bytes, qtype: int, verdict: Verdict, second: int, times: int = 1) -> Tally | None:
        """Count what is known to be wanted, at `second` of the epoch.

        Returns:
            Where it was counted together with names below the same domain, until that is taken or the minute over.
        """
        kept: _Name = name
        minute = second // 60
        if minute != self._minute:
            self._minute = minute
            self._names.clear()
            self._named = 0
            self._domains.clear()
            self._merging = 0
            self._forget_merged()
        names = self._names.get(client, ())
        if name not in names:
            if name.startswith(_CANARY):
                return None
            if len(names) < self._max_names and self._named < self._max_rows:
                self._named += 1
                self._names.setdefault(client, set()).add(name)
            else:
                kept = self._merged(client, _all_below(name))
        key = (
            minute, client, verdict.group, kept, qtype, verdict.action,
            verdict.vendor, verdict.product, verdict.feed, verdict.override or verdict.subject,
        )  # fmt: skip
        tally = self._rows.get(key)
        if tally is not None:
            tally.add(second, times)
        elif len(self._rows) < self._max_rows:
            tally = self._rows[key] = Tally(times, second)
        else:
            self._count_below(key, second, times)
        return None if kept is name else tally

    def _merged(self, client: str, domain: str) -> str:
        """Return the name to count a query by whose own is not kept: its domain, or `*` beyond as many domains."""
        domains = self._domains.get(client, ())
        if domain in domains:
            return domain
        if len(domains) >= self._max_names or self._merging >= self._max_rows // 10:
            return "*"
        self._merging += 1
        self._domains.setdefault(client, set()).add(domain)
        return domain

    def _count_below(self, key: _Key, second: int, times: int) -> None:
        """Count for the domain that a name is below: there is no room for names."""
        name = key[3]
        key = (*key[:3], _all_below(name) if isinstance(name, bytes) else name, *key[4:])
        tally = self._rows.get(key)
        if tally is not None:
            tally.add(second, times)
        elif len(self._rows) < self._max_rows + self._max_rows // 10:
            self._rows[key] = Tally(times, second)
        else:
            self._dropped += times

    def _forget_merged(self) -> None:
        self._merged_rows.clear()
        self._merged_tallies = 0
        self._last = _Merged("", 0, NO_MATCH)

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


def _all_below(name: bytes) -> str:
    """Return `*.` and the domain that somebody registered, or `*` where nobody could have."""
    at = last = before = labels = 0
    while length := name[at]:
        before, last = last, at
        at += length + 1
        labels += 1
    found = _below_last_two(name[before:]) if labels >= _TELLING else None
    if found is not None:
        return found
    parts = labels_of(name)
    start = registered_label(parts)
    return "*" if start is None else _all_of(parts[start:])


@lru_cache(4096)
def _below_last_two(domain: bytes) -> str | None:
    """Return `*.` and these two labels, if names that have more are registered right below the last one."""
    labels = labels_of(domain)
    return _all_of(labels) if registered_label((b"x", *labels)) == 1 else None


def _all_of(labels: Sequence[bytes]) -> str:
    return "*." + name_to_text(name_of(labels))


def _row(key: _Key, tally: Tally) -> HitRow:
    minute, client, group, name, qtype, action, vendor, product, feed, subject = key
    text = name_to_text(name) if isinstance(name, bytes) else name
    tally.is_taken = True
    return HitRow(
        minute, client, group, text, qtype, _WORDS[action], vendor, product, feed, subject,
        tally.times, tally.first, tally.last,
    )  # fmt: skip
