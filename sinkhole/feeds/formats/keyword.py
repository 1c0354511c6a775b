"""Keywords: text that may stand anywhere in a name, as routing lists have them."""

import re

from sinkhole.feeds.formats.pattern import read_pattern
from sinkhole.feeds.row import ReadOptions, RowError

_IS_KEYWORD = re.compile(r"[a-z0-9._-]+\Z").match


def read_keyword(text: str, column: int, options: ReadOptions) -> str:
    """Return the mask `*text*`.

    Raises:
        RowError: it has characters that no name has, or is a public suffix or hardly longer than one.
    """
    if not _IS_KEYWORD(text.lower()):
        raise RowError("wanted a part of a name", column)
    _, mask = read_pattern(f"*{text}*", column, wide=options.local)
    return mask
