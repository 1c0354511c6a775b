"""Parse a list: rows of any format in, rules and rejections out, one row at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType
from typing import Final

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.detect import HEAD_OCTETS, detect, refuse_unreadable
from sinkhole.feeds.formats.adblock import AdblockReader
from sinkhole.feeds.formats.adguard_services import AdguardServicesReader
from sinkhole.feeds.formats.catalogue import CatalogueReader
from sinkhole.feeds.formats.clash import ClashReader
from sinkhole.feeds.formats.dnsmasq import DnsmasqReader
from sinkhole.feeds.formats.domains import DomainsReader
from sinkhole.feeds.formats.hosts import HostsReader
from sinkhole.feeds.formats.rpz import RpzReader
from sinkhole.feeds.formats.squidguard import SquidguardReader
from sinkhole.feeds.formats.unbound import UnboundReader
from sinkhole.feeds.formats.v2fly import V2flyReader
from sinkhole.feeds.print_rule import print_rule
from sinkhole.feeds.row import MAX_ROW, Include, ReadOptions, RowError, RowReader, decode_row, reject
from sinkhole.policy.mask import compile_mask
from sinkhole.policy.rule import Match, Rejection, Rule, RuleAction

READERS: Final[Mapping[str, Callable[[ReadOptions], RowReader]]] = MappingProxyType({
    "hosts": HostsReader,
    "domains": DomainsReader,
    "adblock": AdblockReader,
    "rpz": RpzReader,
    "dnsmasq": DnsmasqReader,
    "unbound": UnboundReader,
    "v2fly": V2flyReader,
    "clash": ClashReader,
    "squidguard": SquidguardReader,
    "catalogue": CatalogueReader,
    "adguard-services": AdguardServicesReader,
})  # fmt: skip
"""Every format by its name; `auto` is not among them."""

_OVERRIDES: Final = {
    "exact": {Match.SUFFIX: Match.EXACT},
    "suffix": {Match.EXACT: Match.SUFFIX, Match.BELOW: Match.SUFFIX},
}
_SHOWN_OCTETS: Final = 500
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """How much a list may hold.

    Attributes:
        line_octets: length of a row; a longer one is refused.
        rows: number of rows; more refuse the whole list.
        masks: masks without a definite end, and expressions, in a remote list; further ones are refused, since each
            is tried on every query.
    """

    line_octets: int = MAX_ROW
    rows: int = 2_000_000
    masks: int = 1_000


DEFAULT_LIMITS: Final = ParseLimits()


def parse(
    lines: Iterable[bytes],
    format: str,  # noqa: A002 - the word of the configuration
    match: str = "format",
    *,
    local: bool = False,
    limits: ParseLimits = DEFAULT_LIMITS,
    regexes: bool | None = None,
    include: Include | None = None,
    whole: bool = False,
) -> Iterator[Rule | Rejection]:
    """Read a list row by row; memory does not grow with the list (save for a catalogue, one JSON document).

    Args:
        lines: the rows, with or without their line ends, such as an open binary file.
        format: a name in `READERS`, or `auto` to tell it from the first rows.
        match: `format` for the convention of the format, or `exact` or `suffix` for all names that are blocked.
        local: the administrator's own list, which may rewrite, limit to clients, and be as wide as it likes.
        regexes: whether regular expressions are read; None: those of local lists only.
        include: finds the lists that a v2fly list includes.
        whole: all names of a catalogue, not only those that a list of it would block.

    Raises:
        FeedFormatError: at once, or while reading: the whole is no list of this format, or has too many rows. What
            was yielded before belongs to a list that must not be used.
    """
    rows = iter(lines)
    head = _take_head(rows)
    beginning = b"".join(head)
    refuse_unreadable(beginning)
    if format == "auto":
        format = detect(beginning)  # noqa: A001
    if format not in READERS:
        raise FeedFormatError(f"format is auto or one of {', '.join(READERS)}; found {format!r}")
    if head:
        head[0] = head[0].removeprefix(_BOM)
    reader = READERS[format](ReadOptions(local, local if regexes is None else regexes, include, whole))
    found = _read(chain(head, rows), reader, limits)
    if not local:
        found = _bound_masks(found, limits.masks)
    return found if match == "format" else _override(found, match)


def _take_head(rows: Iterator[bytes]) -> list[bytes]:
    head: list[bytes] = []
    size = 0
    for row in rows:
        head.append(row)
        size += len(row)
        if size >= HEAD_OCTETS:
            break
    return head


def _read(rows: Iterable[bytes], reader: RowReader, limits: ParseLimits) -> Iterator[Rule | Rejection]:
    line = 0
    for line, row in enumerate(rows, 1):
        if line > limits.rows:
            raise FeedFormatError(f"the list has more than {limits.rows} rows")
        text = ""
        try:
            text = decode_row(row, limits.line_octets)
            yield from reader.read(text, line)
        except RowError as error:
            yield reject(error, text or row[:_SHOWN_OCTETS].decode("utf-8", "replace").rstrip(), line)
    try:
        yield from reader.finish(line)
    except RowError as error:
        yield reject(error, "", line)


def _bound_masks(found: Iterator[Rule | Rejection], most: int) -> Iterator[Rule | Rejection]:
    count = 0
    for row in found:
        if isinstance(row, Rule) and _is_tried_always(row):
            count += 1
            if count > most:
                error = RowError(f"more than {most} masks in one list: each is tried on every query")
                yield reject(error, print_rule(row), row.line)
                continue
        yield row


def _is_tried_always(rule: Rule) -> bool:
    return rule.match is Match.REGEX or (rule.match is Match.MASK and compile_mask(rule.name).below is None)


def _override(found: Iterator[Rule | Rejection], match: str) -> Iterator[Rule | Rejection]:
    if match not in _OVERRIDES:
        raise FeedFormatError(f"match is format, exact or suffix; found {match!r}")
    instead = _OVERRIDES[match]
    for row in found:
        if isinstance(row, Rule) and row.match in instead and row.action is RuleAction.BLOCK:
            yield replace(row, match=instead[row.match])
        else:
            yield row
