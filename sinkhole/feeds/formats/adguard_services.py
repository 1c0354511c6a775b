"""AdGuard's registry of services: one JSON document of adblock rows, of which those of the group `ai` count.

`{"blocked_services": [{"id": "deepseek", "group": "ai", "rules": ["||deepseek.com^", …]}, …]}`; the other groups are
social networks, shops and games, which no AI policy is about.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.formats.adblock import AdblockReader
from sinkhole.feeds.formats.json_lines import JsonLines, read_document
from sinkhole.feeds.row import ReadOptions, RowError, reject
from sinkhole.policy.rule import Rejection, Rule

GROUP: Final = "ai"


class AdguardServicesReader:
    """Gathers the document, whose size the fetch has bounded, and reads it when it is whole."""

    def __init__(self, options: ReadOptions) -> None:
        self._reader = AdblockReader(options)
        self._text: list[str] = []

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Keep the row for later."""
        self._text.append(text)
        return ()

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return the rules of the document. Raises FeedFormatError when it is none."""
        text = "\n".join(self._text)
        document = read_document(text, "the registry of services")
        lines = JsonLines(text)
        return [found for row in _rows(document) for found in self._read_row(row, lines.find(row))]

    def _read_row(self, row: str, line: int) -> Sequence[Rule | Rejection]:
        try:
            return self._reader.read(row, line)
        except RowError as error:
            return (reject(error, row, line),)


def _rows(document: Any) -> Iterator[str]:
    """Walk the document; raises FeedFormatError where something else stands than the registry has."""
    services = document.get("blocked_services") if isinstance(document, dict) else None
    if not isinstance(services, list):
        raise FeedFormatError('the registry of services lacks "blocked_services"')
    for service in services:
        if not isinstance(service, dict) or not isinstance(service.get("rules", []), list):
            raise FeedFormatError("the registry of services has a service that is no table with rules")
        if service.get("group") == GROUP:
            yield from (str(row) for row in service.get("rules", []))
