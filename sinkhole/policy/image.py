"""The compiled names: which domains of the catalogue, which rows of lists, which protected names match a name."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from sinkhole.errors import PolicyError
from sinkhole.policy.bypass import Bypass
from sinkhole.policy.compiler import ImageCompiler, Refusal
from sinkhole.policy.entry import ROW_WIDTH, CatalogueEntry
from sinkhole.policy.feed import Feed
from sinkhole.policy.image_file import ImageTables, map_image, write_image
from sinkhole.policy.lookalikes import NO_BRANDS, BrandBook, Lookalikes
from sinkhole.policy.mask import compile_mask
from sinkhole.policy.networks import NetworkRules
from sinkhole.policy.ordinary import Ordinary
from sinkhole.policy.pattern import PatternSet
from sinkhole.policy.row import (
    CATALOGUE,
    EXACT,
    FIRST_FEED,
    MASK,
    PROTECTED,
    SUFFIX,
    is_detailed,
    match_of,
    rule_from_json,
    source_of,
    unpack_rule,
    value_of,
)
from sinkhole.policy.rule import Match, Rejection, Rule
from sinkhole.policy.signs import NO_SIGNS, SignBook, Signs
from sinkhole.policy.spots import Spots
from sinkhole.policy.vendor import DomainMatch, Vendor
from sinkhole.protocol.names import ROOT, labels_of, name_to_text, reversed_key

_MAX_COMPILED: Final = 1000
"""Keys whose masks are held compiled, 20 kB each: a list could name a hundred thousand."""


@dataclass(frozen=True, slots=True)
class FeedRules:
    """A list and its rows, to be compiled."""

    feed: Feed
    rules: Iterable[Rule]


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """What a decision needs to know of a list."""

    name: str
    part_of_ai: bool
    local: bool


class Found(NamedTuple):
    """All that matches a name. (A tuple: one is made for every listed name that is asked for.)

    Attributes:
        entries: domains of the catalogue, the most specific first.
        rows: rules of lists, by the number of the list.
        is_protected: nothing but an explicit statement on the domain, or an exact domain of the catalogue, may hit it.
    """

    entries: list[CatalogueEntry]
    rows: dict[int, list[Rule]]
    is_protected: bool


def build_image(
    folder: Path,
    vendors: Sequence[Vendor],
    feeds: Sequence[FeedRules],
    protected: Iterable[str],
    bypass: Sequence[Bypass] = (),
    brands: BrandBook = NO_BRANDS,
    signs: SignBook = NO_SIGNS,
) -> str:
    """Compile into a new file in `folder` and return its name, `names-<digest>.img`.

    Rows of lists that cannot be compiled (an expression that the engine refuses) are left out; `NameIndex.refused`
    says which and why.

    Raises:
        PolicyError: the catalogue or the protected names are wrong.
        OSError: the folder cannot be written.
    """
    return write_image(folder, _compile(vendors, feeds, protected, bypass, brands, signs))


class NameIndex:
    """Look-up of names in compiled tables; immutable."""

    def __init__(self, tables: ImageTables) -> None:
        self._tables = tables
        self._trie = tables.trie
        self._starts = tables.starts
        self._packed = tables.entries
        try:
            self._metadata = json.loads(bytes(tables.metadata))
            self._rows = self._metadata["entries"]
            if any(len(row) != ROW_WIDTH for row in self._rows):
                raise ValueError("an entry has another form")
            self.feeds = tuple(ListedFeed(*row) for row in self._metadata["feeds"])
            self.by_client = bool(self._metadata["by_client"])
            self.lookalikes = Lookalikes(BrandBook.from_json_row(self._metadata["brands"]))
            # Names compiled by a version that read no such rows have none.
            self.networks = NetworkRules(self._metadata.get("networks", ()))
            # An image that an older version compiled has none, and is compiled anew in a moment.
            signs = self._metadata.get("signs")
            book = NO_SIGNS if signs is None else SignBook.from_json_row(signs)
            self.signs = Signs(book, self.lookalikes)
            self._ordinary = Ordinary(tables.trie, self.lookalikes, self.signs)
            self._spots = Spots(tables.spots, tables.trie, self._ordinary)
            everywhere = self._metadata["patterns"]
            self._everywhere = self._patterns(everywhere) if everywhere else None
        except (ValueError, KeyError, TypeError) as error:
            raise PolicyError(f"compiled names: the metadata cannot be read: {error}") from error
        self._entries: dict[int, CatalogueEntry] = {}
        self._below: dict[int, _Patterns] = {}

    @classmethod
    def open(cls, path: Path, *, verify: bool = False) -> "NameIndex":
        """Map a file that `build_image` wrote; `verify` compares its digest, which reads all of it.

        Raises:
            PolicyError: it is absent, cut short, damaged or of another format.
        """
        return cls(map_image(path, verify=verify))

    @classmethod
    def from_rules(
        cls,
        feeds: Sequence[FeedRules],
        vendors: Sequence[Vendor] = (),
        protected: Iterable[str] = (),
        bypass: Sequence[Bypass] = (),
        brands: BrandBook = NO_BRANDS,
        signs: SignBook = NO_SIGNS,
    ) -> "NameIndex":
        """Compile in memory, without a file.

        Raises:
            PolicyError: the catalogue or the protected names are wrong.
        """
        return cls(_compile(vendors, feeds, protected, bypass, brands, signs))

    def __len__(self) -> int:
        """Return the number of different names."""
        return len(self._trie)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Rows of lists that could not be compiled."""
        rows = self._metadata["refused"]
        return tuple(Refusal(feed, Rejection(line, 1, why, text)) for feed, line, why, text in rows)

    def find(self, name: bytes, key: bytes | None = None) -> Found | None:
        """Return what matches a folded name, or None where nothing does; `key` is its own, where it is known."""
        if key is None:
            key = reversed_key(name)
        prefixes = () if key in self._spots.unlisted else self._trie.prefixes(key)
        if not prefixes and not self._everywhere:
            return None
        entries: list[CatalogueEntry] = []
        rows: dict[int, list[Rule]] = {}
        is_protected = False
        for prefix in prefixes:
            if self._take(prefix, name, len(prefix) == len(key), entries, rows):
                is_protected = True
        if self._everywhere:
            self._everywhere.search(name, rows)
        if len(entries) > 1:
            entries.sort(key=lambda entry: (entry.rank, entry.product), reverse=True)
        return Found(entries, rows, is_protected) if entries or rows or is_protected else None

    def spot(self, name: bytes, key: bytes) -> bytes | None:
        """Return where a name stands among compiled names; None where nothing matches, or not only names.

        What matches names of one spot differs in the texts and lines of rows alone.

        Args:
            name: folded, in wire form.
            key: of the name (`reversed_key`).
        """
        return None if self._everywhere else self._spots.find(name, key)

    def is_ordinary(self, name: bytes, key: bytes | None = None) -> bool:
        """Return whether a folded name surely matches nothing, imitates nobody and shows no sign of AI.

        Without its key only what was found a moment ago is known, here or by `spot`.
        """
        if self._ordinary.knows(name):
            return True
        if key is None or self._everywhere or key in self._spots.unlisted:
            return False
        return self._spots.find(name, key) is None and self._ordinary.knows(name)

    def _take(
        self, prefix: bytes, name: bytes, is_own: bool, entries: list[CatalogueEntry], rows: dict[int, list[Rule]]
    ) -> bool:
        """Add what stands at one key, the name's own or that of a name above it; return whether it protects."""
        number = self._trie.key_id(prefix)
        is_protected = False
        masks = []
        for packed in self._packed[self._starts[number] : self._starts[number + 1]]:
            source = source_of(packed)
            if source == CATALOGUE:
                entry = self._entry(value_of(packed))
                if _is_hit(entry, name, is_own):
                    entries.append(entry)
            elif source == PROTECTED:
                is_protected = is_protected or is_own
            elif (match := match_of(packed)) == MASK:
                masks.append(packed)
            elif match == SUFFIX or is_own is (match == EXACT):
                rows.setdefault(source - FIRST_FEED, []).append(self._rule(packed, name[-1 - len(prefix) :]))
        if masks:
            self._patterns_below(number, masks).search(name, rows)
        return is_protected

    def _entry(self, number: int) -> CatalogueEntry:
        """Return a domain of the catalogue, made when it is first asked for: a swap must be quick."""
        entry = self._entries.get(number)
        if entry is None:
            entry = self._entries[number] = CatalogueEntry.from_json_row(self._rows[number])
        return entry

    def _patterns_below(self, number: int, masks: Sequence[int]) -> "_Patterns":
        """Return the masks at a key, compiled when a name first needs them: most are never asked for."""
        patterns = self._below.get(number)
        if patterns is None:
            if len(self._below) >= _MAX_COMPILED:
                del self._below[next(iter(self._below))]
            patterns = self._below[number] = self._patterns(masks)
        return patterns

    def _rule(self, packed: int, zone: bytes) -> Rule:
        if not is_detailed(packed):
            return unpack_rule(packed, name_to_text(zone))
        number = value_of(packed)
        starts = self._tables.detail_starts
        return rule_from_json(bytes(self._tables.details[starts[number] : starts[number + 1]]))

    def _patterns(self, packed: Sequence[int]) -> "_Patterns":
        return _Patterns([(source_of(one) - FIRST_FEED, self._rule(one, ROOT)) for one in packed])


class _Patterns:
    """Masks and expressions of lists that may match one name."""

    def __init__(self, rules: Sequence[tuple[int, Rule]]) -> None:
        self._rules = rules
        self._set = PatternSet([_expression(rule) for _, rule in rules])

    def search(self, name: bytes, rows: dict[int, list[Rule]]) -> None:
        """Add the rules that match the name to `rows`."""
        for number in self._set.search(name_to_text(name)):
            feed, rule = self._rules[number]
            rows.setdefault(feed, []).append(rule)


def _expression(rule: Rule) -> str:
    return rule.name if rule.match is Match.REGEX else compile_mask(rule.name).expression


def _is_hit(entry: CatalogueEntry, name: bytes, is_own: bool) -> bool:
    if entry.match is DomainMatch.WILDCARD:
        return entry.matches(labels_of(name))
    return is_own or entry.match is DomainMatch.SUFFIX


def _compile(
    vendors: Sequence[Vendor],
    feeds: Sequence[FeedRules],
    protected: Iterable[str],
    bypass: Sequence[Bypass],
    brands: BrandBook,
    signs: SignBook,
) -> ImageTables:
    compiler = ImageCompiler()
    compiler.set_brands(brands)
    compiler.set_signs(signs)
    compiler.add_protected(protected)
    for vendor in vendors:
        compiler.add_vendor(vendor, bypass)
    for way in bypass:
        compiler.add_bypass(way)
    for listed in feeds:
        compiler.add_feed(listed.feed, listed.rules)
    return compiler.tables()
