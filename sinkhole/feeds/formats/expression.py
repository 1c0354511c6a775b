"""Regular expressions in lists: taken by the linear-time engine of policy, or refused (R-L10, R-L11)."""

from typing import Final

from sinkhole.errors import PolicyError
from sinkhole.feeds.hostname import too_wide
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.policy.pattern import PatternSet, check_expression

_UNRELATED: Final = ("a.example", "xn--q7.example.net", "zz-9.test", "1.invalid")
"""Names of no one: an expression that finds three of them means everything."""


def read_expression(text: str, column: int, options: ReadOptions) -> str:
    """Return `text`, an expression that the engine takes.

    Raises:
        RowError: expressions are off for this list, it is none, or it is too wide for a remote list.
    """
    if not options.regexes:
        raise RowError("a regular expression; those of remote lists are off", column)
    try:
        check_expression(text)
    except PolicyError as error:
        raise RowError(f"a regular expression: {error}", column) from None
    expression = PatternSet((text,))
    if not options.local and sum(bool(expression.search(name)) for name in _UNRELATED) >= 3:
        raise too_wide(f"/{text}/", column)
    return text
