"""Read a moment in the past: `7d`, `12h`, `30min`, or a date."""

import datetime as dt
import re

import click

_UNITS = {"min": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Since(click.ParamType[int]):
    """A moment, as epoch seconds; dates are local."""

    name = "since"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return epoch seconds."""
        if isinstance(value, int):
            return value
        text = str(value)
        now = dt.datetime.now(dt.UTC)
        if found := re.fullmatch(r"(\d{1,6})(min|h|d|w)", text):
            return max(0, int(now.timestamp()) - int(found[1]) * _UNITS[found[2]])
        try:
            return int(dt.datetime.fromisoformat(text).astimezone(dt.UTC).timestamp())
        except ValueError:
            self.fail(f"{text!r} is neither like 7d, 12h, 30min nor a date such as 2026-11-24 or 2026-11-24T12:00")
