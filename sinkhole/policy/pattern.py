"""Many expressions searched in one text, on an engine that is linear in the text's length (R-L10).

Python's own `re` takes exponential time for expressions such as `(a+)+$` and stops the process meanwhile, so it must
never see what a list says.
"""

from collections.abc import Sequence
from functools import cached_property

import re2

from sinkhole.errors import PolicyError

_CHUNK = 64
"""Expressions joined into one, so that a name that matches none costs few searches."""
_MAX_LENGTH = 4096
"""Octets of one expression: longer ones cost memory and nobody can read them."""
_MAX_MEMORY = 1 << 20
"""Octets that the engine may spend on one expression before it refuses it or falls back to its slower method."""


def check_expression(expression: str) -> None:
    """Raise unless the engine takes the expression.

    Raises:
        PolicyError: it says why not.
    """
    if len(expression) > _MAX_LENGTH:
        raise PolicyError(f"expression is longer than {_MAX_LENGTH} characters")
    _compile(expression, _MAX_MEMORY)


class PatternSet:
    """A set of expressions that `check_expression` has taken."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._chunks: list[tuple[int, _Chunk]] = []
        start = 0
        while start < len(expressions):
            chunk = _chunk_from(expressions[start : start + _CHUNK])
            self._chunks.append((start, chunk))
            start += len(chunk.expressions)

    def search(self, text: str) -> list[int]:
        """Return the numbers of the expressions that are found in `text`."""
        data = text.encode()
        return [start + n for start, chunk in self._chunks for n in chunk.search(data)]


class _Chunk:
    def __init__(self, expressions: Sequence[str]) -> None:
        self.expressions = expressions
        joined = expressions[0] if len(expressions) == 1 else "|".join(f"(?:{one})" for one in expressions)
        self._any = _compile(joined, _MAX_MEMORY * 4)

    def search(self, data: bytes) -> list[int]:
        if self._any.search(data) is None:
            return []
        return [n for n, one in enumerate(self._each) if one.search(data) is not None]

    @cached_property
    def _each(self) -> list["re2._Regexp"]:
        return [_compile(one, _MAX_MEMORY) for one in self.expressions]


def _chunk_from(expressions: Sequence[str]) -> _Chunk:
    """Join as many as the engine takes, at least one. `\\Q` would quote the bracket that follows it, so it is alone."""
    for n, expression in enumerate(expressions):
        if "\\Q" in expression:
            expressions = expressions[: n or 1]
            break
    if len(expressions) == 1:
        return _Chunk(expressions)
    try:
        return _Chunk(expressions)
    except PolicyError:
        return _chunk_from(expressions[: len(expressions) // 2])


def _compile(expression: str, max_memory: int) -> "re2._Regexp":
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = max_memory
    try:
        return re2.compile(expression.encode(), options)
    except re2.error as error:
        raise PolicyError(f"expression is not taken: {error.args[0].decode(errors='replace')}") from error
