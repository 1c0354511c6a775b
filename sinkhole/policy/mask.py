"""Adblock masks on names: what `||`, `|`, `*` and `^` mean, as an expression for the linear-time engine.

A name has no scheme, port or path, so `||` is the start of the name or of a label, `|` an end of the name, and `^`
the end of the name (or, within a mask, an octet that no host name has).
"""

from dataclasses import dataclass
from typing import Final

import re2

from sinkhole.policy.rule import Match

_SEPARATOR: Final = "(?:[^a-z0-9.%_-]|$)"


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask, understood.

    Attributes:
        expression: searched in the text form of a folded name, without final dot.
        simple: the same as a plain rule, where it is one: how to match, and the name.
        below: a name that every name it matches is below or at, None where there is none.
    """

    expression: str
    simple: tuple[Match, str] | None
    below: str | None


def compile_mask(text: str) -> Mask:
    """Read a mask."""
    text = text.lower()
    start, body = _start(text)
    body, is_anchored = _end(body)
    return Mask(
        expression=_expression(start, body, is_anchored),
        simple=_simple(start, body) if is_anchored else None,
        below=_below(start, body) if is_anchored else None,
    )


def _start(text: str) -> tuple[str, str]:
    if text.startswith("||"):
        return "||", text[2:]
    if text.startswith("|"):
        return "|", text[1:]
    return "", text


def _end(body: str) -> tuple[str, bool]:
    """Cut the mark of the end of the name. Behind `^` there is nothing more for `*` to stand for."""
    trimmed = body.rstrip("*|")
    if trimmed.endswith("^"):
        return trimmed.rstrip("^"), True
    if body.endswith("|"):
        return body.rstrip("|"), True
    return body, False


def _expression(start: str, body: str, is_anchored: bool) -> str:
    head = {"||": "(?:^|\\.)", "|": "^", "": ""}[start]
    middle = "".join(".*" if mark == "*" else _SEPARATOR if mark == "^" else re2.escape(mark) for mark in body)
    return f"{head}{middle}{'$' if is_anchored else ''}"


def _simple(start: str, body: str) -> tuple[Match, str] | None:
    if start and _is_name(body):
        return (Match.SUFFIX if start == "||" else Match.EXACT), body
    parent = body.removeprefix("*.")
    # `*.x` asks for at least one octet and a dot before x, whatever stands for its start.
    return (Match.BELOW, parent) if parent != body and _is_name(parent) else None


def _below(start: str, body: str) -> str | None:
    if start and _is_name(body):
        return body
    parent = body.rpartition("*")[2].partition(".")[2]
    return parent if _is_name(parent) else None


def _is_name(body: str) -> bool:
    return all(body.split(".")) and not any(mark in body for mark in "*^|")
