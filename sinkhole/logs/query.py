"""What a line of a log tells, and what a format is."""

from collections.abc import Callable
from dataclasses import dataclass

from sinkhole.logs.clock import Clock

Query = tuple[float, str, str, bool | None]
"""Epoch seconds, the client, the name as it was written, and whether that resolver refused it (None: not told).

A plain tuple: ten million are made. A client is an address where the log has one, else whatever it tells clients by.
"""
ReadLine = Callable[[str], Query | None]
"""Reads a line: a query, or None for a line that tells something else.

Raises:
    LogFormatError: it is no line of this format, or one that is broken.
"""


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A format of text.

    Attributes:
        name: as `--format` has it.
        title: in words.
        open: makes the reader of one file; it may keep what a header said.
    """

    name: str
    title: str
    open: Callable[[Clock], ReadLine]
