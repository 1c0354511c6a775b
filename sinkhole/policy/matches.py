"""What a name is, for policy: the subjects that reach it, the most specific kind first."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from sinkhole.policy.entry import CatalogueEntry
from sinkhole.policy.evidence import NOT_LISTED, Asked, Evidence, Listed, judge_lists
from sinkhole.policy.image import Found, ListedFeed
from sinkhole.policy.lookalikes import Imitation
from sinkhole.policy.standing import Key, Standing, Standings
from sinkhole.policy.vendor import DomainMatch
from sinkhole.policy.verdict import Action, Loser
from sinkhole.protocol.names import name_to_text

Level = Sequence[tuple[Key, Evidence]]
"""Subjects that are equally specific."""
Chosen = tuple[Standing, Evidence]
"""The statement that decides, and what ties the name to it."""
_OWN_LIST = "is an exception, which lifts rows of its own list alone"


class Matches:
    """Everything that may decide one query; lists are judged only when nothing more specific has decided.

    Args:
        zones: domains of statements that the name is at or below, the longest first.
        found: what the compiled names know of it.
        imitation: whom it imitates, if it does and a statement asks.
        unreviewed: why it looks like AI that nobody has looked at, if it does and a statement asks.
    """

    def __init__(
        self,
        asked: Asked,
        zones: Sequence[bytes],
        found: Found | None,
        standings: Standings,
        feeds: Sequence[ListedFeed],
        imitation: Imitation | None = None,
        unreviewed: str | None = None,
    ) -> None:
        self._asked = asked
        self._zones = zones
        self._found = found
        self._standings = standings
        self._feeds = feeds
        self._imitation = imitation
        self._unreviewed = unreviewed
        self._listed: Listed | None = None
        self.entries = _strongest(found) if found is not None else ()

    def levels(self) -> Iterator[Level]:
        """Yield the subjects that reach the name, the most specific first; those of the catalogue only if stated."""
        for zone in self._zones:
            yield [(zone, Evidence(f"{name_to_text(zone)} and below"))]
        named = [Evidence(entry.text, entry) for entry in self.entries]
        if named:
            yield from self._catalogue_levels(named)
        blocking = self.listed.blocking
        if blocking:
            yield [(evidence.subject, evidence) for evidence in blocking]
        yield [("ai", evidence) for evidence in (*named, *blocking) if evidence.is_ai]
        if self._imitation is not None:
            yield [("lookalikes", Evidence(str(self._imitation)))]
        if self._unreviewed is not None:
            yield [("unreviewed", Evidence(self._unreviewed))]

    def _catalogue_levels(self, named: Sequence[Evidence]) -> Iterator[Level]:
        stated = self._standings.by_key.keys()
        if len(named) == 1:  # of nearly all names, and half as dear
            for level in self.entries[0].levels:
                if not stated.isdisjoint(level):
                    yield [(subject, named[0]) for subject in level]
            return
        for abreast in zip_longest(*(entry.levels for entry in self.entries), fillvalue=()):
            if not all(map(stated.isdisjoint, abreast)):
                yield [(s, evidence) for subjects, evidence in zip(abreast, named, strict=True) for s in subjects]

    @property
    def listed(self) -> Listed:
        """What the lists say of the name."""
        if self._listed is None:
            self._listed = NOT_LISTED
            if self._found is not None and self._found.rows:
                self._listed = judge_lists(self._asked, self._found, self._standings, self._feeds)
        return self._listed

    def dropped(self) -> Iterator[Loser]:
        """Yield matches that no statement can make count: the name is protected, or an exception lifts the row."""
        if self._found is None:
            return
        for entry in self._found.entries:
            if entry not in self.entries:
                is_spared = self._found.is_protected and entry.match is not DomainMatch.EXACT
                why = "the name is protected" if is_spared else "a more specific domain of the catalogue matches"
                subject = f"product:{entry.product}" if entry.product else f"bypass:{entry.bypass[0]}"
                yield Loser(Action.BLOCK, subject, "none", entry.text, why)
        for evidence in self.listed.judged:
            if evidence.is_exception:
                why = "is an exception, which lifts what lists say" if evidence is self.listed.lifting else _OWN_LIST
                yield Loser(Action.ALLOW, evidence.subject, "none", evidence.rule, why)
            elif evidence not in self.listed.blocking:
                lifting = self.listed.lifting
                why = f"lifted by {lifting.rule} of {lifting.subject}" if lifting else "the name is protected"
                yield Loser(Action.BLOCK, evidence.subject, "none", evidence.rule, why)


def _strongest(found: Found) -> Sequence[CatalogueEntry]:
    entries: Sequence[CatalogueEntry] = found.entries
    if found.is_protected:
        entries = [entry for entry in entries if entry.match is DomainMatch.EXACT]
    if len(entries) < 2:
        return entries
    return [entry for entry in entries if entry.rank == entries[0].rank]
