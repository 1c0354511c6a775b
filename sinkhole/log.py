"""Log events: one line each, `event key=value …`, safe to print whatever a client sent.

An event is a dotted noun and verb (`feed.synced`); fields are values, never prose. Control characters, quotes
and line breaks in values are escaped, so that a queried name cannot forge a line (CWE-117).
"""

import logging
import sys
from typing import TextIO

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/,@+*%[]|~")


def _quote(value: object) -> str:
    text = str(value)
    if text and all(c in _SAFE for c in text):
        return text
    return '"' + "".join(_escape(c) for c in text) + '"'


def _escape(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char == " " or (char.isprintable() and char.isascii()):
        return char
    return char.encode("unicode_escape").decode("ascii")


class Log:
    """Write events of one part of the program; `Log("feeds").info("feed.synced", feed="x", rules=12)`."""

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"sinkhole.{part}")

    def debug(self, event: str, **fields: object) -> None:
        """Report something only a developer wants to know."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Report that a state changed."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Report that something is degraded and works on."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Report that someone must act."""
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Report an unexpected exception, with its traceback: the edge of a task or of a query."""
        self._logger.error(_line(event, fields), exc_info=True)

    def _write(self, level: int, event: str, fields: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", _line(event, fields))


def _line(event: str, fields: dict[str, object]) -> str:
    return " ".join([event, *(f"{key}={_quote(value)}" for key, value in fields.items())])


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send events of `level` (debug, info, warning, error) and above to `stream` (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    root = logging.getLogger("sinkhole")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
