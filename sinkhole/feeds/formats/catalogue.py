"""Our own catalogue as a feed: one JSON document, `{"sinkhole": 1, "vendors": […]}`.

A vendor has `products`, a product `domains`, a domain `name`, `match` (`suffix`, the default, `exact` or `wildcard`)
and `opt_in` (left out of the feed's rules); other keys are for people and later versions. A catalogue that is read as
a whole has `opt_in` domains too, and those of `bypass`, the ways round policy.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.formats.json_lines import JsonLines, read_document
from sinkhole.feeds.formats.pattern import read_pattern
from sinkhole.feeds.hostname import read_name
from sinkhole.feeds.row import ReadOptions, RowError, reject
from sinkhole.policy.rule import Match, Rejection, Rule

VERSION: Final = 1
_MATCHES: Final = {"suffix": Match.SUFFIX, "exact": Match.EXACT, "wildcard": Match.MASK}


class CatalogueReader:
    """Gathers the document, whose size the fetch has bounded, and reads it when it is whole."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._text: list[str] = []

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Keep the row for later."""
        self._text.append(text)
        return ()

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return the rules of the document. Raises FeedFormatError when it is none."""
        text = "\n".join(self._text)
        document = read_document(text, "the catalogue")
        if not isinstance(document, dict) or document.get("sinkhole") != VERSION:
            raise FeedFormatError(f'the catalogue lacks "sinkhole": {VERSION}')
        lines = JsonLines(text)
        whole = self._options.whole
        ways = [domain for way in _tables(document, "bypass") for domain in _tables(way, "domains")] if whole else []
        wanted = [domain for domain in _domains(document) if whole or not domain.get("opt_in")]
        return [self._read_domain(domain, lines) for domain in (*ways, *wanted)]

    def _read_domain(self, domain: dict[str, Any], lines: JsonLines) -> Rule | Rejection:
        name, match = str(domain.get("name")), str(domain.get("match", "suffix"))
        line = lines.find(name)
        try:
            if match not in _MATCHES:
                raise RowError(f"match is one of {', '.join(_MATCHES)}; found {match!r}")
            if match != "wildcard":
                return Rule(_MATCHES[match], read_name(name, wide=self._options.local), line=line)
            return Rule(*read_pattern(f"|{name}^", 1, wide=self._options.local), line=line)
        except RowError as error:
            return reject(error, name, line)


def _domains(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Walk the document; raises FeedFormatError where something else stands than a list of tables."""
    for vendor in _tables(document, "vendors"):
        for product in _tables(vendor, "products"):
            yield from _tables(product, "domains")


def _tables(parent: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tables = parent.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise FeedFormatError(f"the catalogue has {key} that are not a list of tables")
    return tables
