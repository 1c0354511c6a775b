"""Gather catalogue, lists and protected names into the tables of an image."""

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import marisa_trie

from sinkhole.errors import PolicyError
from sinkhole.policy.bypass import Bypass
from sinkhole.policy.entry import product_row, way_row
from sinkhole.policy.feed import Feed
from sinkhole.policy.image_file import ImageTables
from sinkhole.policy.key import key_from_text
from sinkhole.policy.lookalikes import NO_BRANDS, BrandBook
from sinkhole.policy.mask import compile_mask
from sinkhole.policy.networks import MAX_NETWORKS, NetworkRow, network_row
from sinkhole.policy.pattern import check_expression
from sinkhole.policy.row import (
    ALL_BUT_LINE,
    CATALOGUE,
    FIRST_FEED,
    MAX_FEEDS,
    PROTECTED,
    is_detailed,
    needs_detail,
    pack,
    pack_rule,
    rule_text,
    rule_to_json,
    source_of,
    value_of,
)
from sinkhole.policy.rule import Match, Rejection, Rule
from sinkhole.policy.signs import NO_SIGNS, SignBook
from sinkhole.policy.spots import Rows, build_spots
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Vendor

MAX_PATTERNS = 1000
"""Masks and expressions that may have to be searched for one name; lists that bring more could slow every answer."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that could not be compiled."""

    feed: str
    rejection: Rejection


class ImageCompiler:
    """Collects rows; `tables` ends it. A million rows cost about 250 MB meanwhile."""

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._packed = array("Q")
        self._details = bytearray()
        self._detail_starts = array("Q", [0])
        self._entries: list[list[Any]] = []
        self._wildcards: set[int] = set()
        self._feeds: list[Feed] = []
        self._patterns: list[int] = []
        self._pattern_counts: Counter[bytes] = Counter()
        self._networks: list[NetworkRow] = []
        self._full: set[int] = set()
        self._refused: list[Refusal] = []
        self._by_client = False
        self._book = NO_BRANDS
        self._signs = NO_SIGNS

    def set_brands(self, book: BrandBook) -> None:
        """Say by which brands names that imitate a vendor are found."""
        self._book = book

    def set_signs(self, book: SignBook) -> None:
        """Say by which signs names that look like AI are found."""
        self._signs = book

    def add_protected(self, names: Iterable[str]) -> None:
        """Add names that nothing but an explicit statement may hit, each exact."""
        for name in names:
            self._add(key_from_text(name), pack(PROTECTED))

    def add_vendor(self, vendor: Vendor, ways: Sequence[Bypass] = ()) -> None:
        """Add the domains of a vendor, and the names it must never be blocked by; `ways` name categories of theirs."""
        self.add_protected(vendor.never_block)
        for product in vendor.products:
            bypass = tuple(way.id for way in ways if not set(way.categories).isdisjoint(product.categories))
            for domain in product.domains:
                self._add_entry(domain, product_row(vendor, product, domain, bypass))

    def add_bypass(self, bypass: Bypass) -> None:
        """Add the domains of a way round policy."""
        for domain in bypass.domains:
            self._add_entry(domain, way_row(bypass, domain))

    def _add_entry(self, domain: CatalogueDomain, row: list[Any]) -> None:
        if domain.match is DomainMatch.WILDCARD:
            self._wildcards.add(len(self._entries))
        self._add(_catalogue_key(domain), pack(CATALOGUE, len(self._entries)))
        self._entries.append(row)

    def add_feed(self, feed: Feed, rules: Iterable[Rule]) -> None:
        """Add the rows of a list; what cannot be compiled is refused by itself.

        Raises:
            PolicyError: there are more lists than an image can tell apart.
        """
        if len(self._feeds) == MAX_FEEDS:
            raise PolicyError(f"there are more than {MAX_FEEDS} feeds")
        source = len(self._feeds) + FIRST_FEED
        self._feeds.append(feed)
        for rule in rules:
            try:
                if rule.rewrite is not None and not feed.local:
                    raise PolicyError("only a local list can choose an answer")
                self._add_rule(source, rule)
            except PolicyError as error:
                refusal = Rejection(rule.line, 1, str(error), rule_text(rule)[:120])
                self._refused.append(Refusal(feed.name, refusal))

    def tables(self) -> ImageTables:
        """Return the finished tables."""
        trie = marisa_trie.BinaryTrie(self._keys)
        ids = array("I", map(trie.key_id, self._keys))
        counts = Counter(ids)
        starts = array("I", accumulate((counts[n] for n in range(len(trie))), initial=0))
        room = starts[:]
        entries = array("Q", bytes(8 * len(ids)))
        for key_id, packed in zip(ids, self._packed, strict=True):
            entries[room[key_id]] = packed
            room[key_id] += 1
        return ImageTables(
            trie=trie,
            starts=memoryview(starts),
            entries=memoryview(entries),
            detail_starts=memoryview(self._detail_starts),
            details=memoryview(self._details),
            metadata=memoryview(self._metadata()),
            spots=build_spots(
                self._keys, lambda index: self._rows(entries[starts[ids[index]] : starts[ids[index] + 1]])
            ),
        )

    def _rows(self, packed: Iterable[int]) -> Rows:
        """Return what tells the verdict of rows from that of others; None where names alone do not decide it."""
        rows = []
        for row in packed:
            source = source_of(row)
            if source >= FIRST_FEED:
                if is_detailed(row):
                    return None
                row &= ALL_BUT_LINE
            elif source == CATALOGUE and value_of(row) in self._wildcards:
                return None
            rows.append(row)
        return tuple(rows)

    def _add(self, key: bytes, packed: int) -> None:
        self._keys.append(key)
        self._packed.append(packed)

    def _add_rule(self, source: int, rule: Rule) -> None:
        if rule.match is Match.ADDRESS:
            self._add_network(source, rule)
            return
        if rule.match is Match.MASK:
            mask = compile_mask(rule.name)
            if mask.simple is None:
                self._add_pattern(source, rule, mask.expression, mask.below)
                return
            match, name = mask.simple
            rule = replace(rule, match=match, name=name)
        if rule.match is Match.REGEX:
            self._add_pattern(source, rule, rule.name, None)
            return
        key = key_from_text(rule.name)
        self._add(key, pack_rule(source, rule, self._detail(rule) if needs_detail(rule) else None))

    def _add_pattern(self, source: int, rule: Rule, expression: str, below: str | None) -> None:
        key = key_from_text(below) if below else b""
        check_expression(expression)
        if self._pattern_counts[key] >= MAX_PATTERNS:
            raise PolicyError(f"more than {MAX_PATTERNS} masks and expressions at {below or 'no fixed name'}")
        self._pattern_counts[key] += 1
        packed = pack_rule(source, rule, self._detail(rule))
        if key:
            self._add(key, packed)
        else:
            self._patterns.append(packed)

    def _add_network(self, source: int, rule: Rule) -> None:
        row = network_row(source - FIRST_FEED, rule)
        if len(self._networks) < MAX_NETWORKS:
            self._networks.append(row)
            return
        # One refusal for all of them: a hostile list must not fill every worker with its rows in another form.
        if source not in self._full:
            self._full.add(source)
            raise PolicyError(f"from here on left out: all lists together have {MAX_NETWORKS} rows about addresses")

    def _detail(self, rule: Rule) -> int:
        if rule.condition is not None:
            self._by_client = self._by_client or bool(rule.condition.clients)
            for name in rule.condition.denyallow:
                key_from_text(name)
        self._details += rule_to_json(rule)
        self._detail_starts.append(len(self._details))
        return len(self._detail_starts) - 2

    def _metadata(self) -> bytes:
        metadata = {
            "entries": self._entries,
            "feeds": [[feed.name, feed.part_of_ai, feed.local] for feed in self._feeds],
            "patterns": self._patterns,
            "networks": self._networks,
            "by_client": self._by_client,
            "brands": self._book.to_json_row(),
            "signs": self._signs.to_json_row(),
            "refused": [[r.feed, r.rejection.line, r.rejection.why, r.rejection.text] for r in self._refused],
        }
        return json.dumps(metadata, separators=(",", ":")).encode()


def _catalogue_key(domain: CatalogueDomain) -> bytes:
    if domain.match is not DomainMatch.WILDCARD:
        return key_from_text(domain.name)
    labels = domain.name.split(".")
    stars = [n for n, label in enumerate(labels) if "*" in label]
    if len(stars) != 1 or stars[0] == len(labels) - 1:
        raise PolicyError(f"catalogue: {domain.name}: a wildcard has one label with *, which is not the last")
    return key_from_text(".".join(labels[stars[0] + 1 :]))
