"""Regular expressions in lists: compiled by a linear-time engine, or refused (R-L10, R-L11)."""

from typing import Final

import re2

from sinkhole.feeds.hostname import too_wide
from sinkhole.feeds.row import ReadOptions, RowError

_MAX_LENGTH: Final = 1000
_MAX_MEMORY: Final = 1 << 20
"""Octets RE2 may use for one program; `x{1000}{1000}` is refused by this, not by running it."""

_UNRELATED: Final = ("a.example", "xn--q7.example.net", "zz-9.test", "1.invalid")
"""Names of no one: an expression that finds three of them means everything."""


def read_expression(text: str, column: int, options: ReadOptions) -> str:
    """Return `text`, an expression that RE2 compiles.

    Raises:
        RowError: expressions are off for this list, or it does not compile, or it is too wide for a remote list.
    """
    if not options.regexes:
        raise RowError("a regular expression; those of remote lists are off", column)
    if len(text) > _MAX_LENGTH:
        raise RowError(f"a regular expression of more than {_MAX_LENGTH} characters", column)
    settings = re2.Options()
    settings.max_mem = _MAX_MEMORY
    settings.log_errors = False
    settings.case_sensitive = False
    try:
        expression = re2.compile(text, settings)
    except (re2.error, UnicodeError) as error:
        raise RowError(f"not a regular expression RE2 can run: {_reason(error)}", column) from None
    if not options.local and sum(expression.search(name) is not None for name in _UNRELATED) >= 3:
        raise too_wide(f"/{text}/", column)
    return text


def _reason(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
