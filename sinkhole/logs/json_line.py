"""Lines of JSON."""

import json
from collections.abc import Mapping
from typing import Any

from sinkhole.errors import LogFormatError

_load = json.JSONDecoder().decode


def fields_of(line: str) -> dict[str, Any]:
    """Return the object of a line.

    Raises:
        LogFormatError: it is none.
    """
    try:
        value = _load(line)
    except (ValueError, RecursionError):
        raise LogFormatError("wanted a JSON object") from None
    if not isinstance(value, dict):
        raise LogFormatError("wanted a JSON object")
    return value


def text_of(fields: Mapping[str, Any], *keys: str) -> str:
    """Return the first of some fields that is a text with something in it; empty for none."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str) and value:
            return value if value.isascii() else without_surrogates(value)
    return ""


def without_surrogates(text: str) -> str:
    """Return text that can be written: JSON may hold halves of letters (`"\\ud800"`), which no encoding has."""
    return text.encode("utf-8", "replace").decode()
