"""Lists that are one JSON document: read them whole, and find where names stand, so that a rejection has a line."""

import json
from typing import Any

from sinkhole.errors import FeedFormatError


def read_document(text: str, what: str) -> Any:
    """Return the document. Raises FeedFormatError that calls it `what`, when it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedFormatError(f"{what} is not JSON: {error}") from None


class JsonLines:
    """Finds the line of each text, asked for in the order of the document, so that finding all costs one pass."""

    def __init__(self, document: str) -> None:
        self._document = document
        self._at = 0
        self._line = 1

    def find(self, text: str) -> int:
        """Return the line on which `text` stands as a JSON string; that of the one before when it is not found."""
        found = self._document.find(json.dumps(text), self._at)
        if found >= 0:
            self._line += self._document.count("\n", self._at, found)
            self._at = found
        return self._line
