"""Read how long, and until when: `15m`, `2h`, `7d`; `12:00`, a date, a date and time."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import click

_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_EXAMPLES = "15m, 2h, 7d or 1w"


class Length(click.ParamType[dt.timedelta]):
    """A length of time, at most `most`."""

    name = "length"

    def __init__(self, most: dt.timedelta) -> None:
        self._most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:
        """Return it."""
        if isinstance(value, dt.timedelta):
            return value
        found = re.fullmatch(r"(\d{1,6})(min|[mhdw])", str(value), re.ASCII)
        if found is None:
            self.fail(f"{value!r} is no length of time such as {_EXAMPLES}", param, ctx)
        length = dt.timedelta(seconds=int(found[1]) * _UNITS[found[2]])
        if not dt.timedelta() < length <= self._most:
            self.fail(f"{value!r} is not between 1m and {self._most.days}d", param, ctx)
        return length


class Until(click.ParamType[dt.datetime]):
    """A local moment to come: `12:00` is the next time that the clock shows it."""

    name = "until"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        """Return it in UTC."""
        if isinstance(value, dt.datetime):
            return value
        now = dt.datetime.now(dt.UTC)
        try:
            moment = _moment(str(value), now)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time such as 12:00, 2030-12-31 or 2030-12-31T18:00", param, ctx)
        if moment <= now:
            self.fail(f"{moment.astimezone():%Y-%m-%d %H:%M} is in the past", param, ctx)
        return moment


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    if re.fullmatch(r"\d{1,2}:\d\d", text, re.ASCII):
        time = dt.time.fromisoformat(text.zfill(5))
        today = now.astimezone().date()
        days = (dt.datetime.combine(today + dt.timedelta(days=day), time).astimezone(dt.UTC) for day in (0, 1))
        return next(moment for moment in days if moment > now)
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def ahead_options(most: dt.timedelta) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command `--for` and `--until`, passed as `length` and `until`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option(
            "--until", type=Until(), metavar="TIME", help="Local time of its end: 12:00 (the next), 2030-12-31T18:00."
        )(command)
        return click.option(
            "--for", "length", type=Length(most), metavar="LENGTH", help=f"How long: {_EXAMPLES}; at most {most.days}d."
        )(command)

    return decorate


def end_of(length: dt.timedelta | None, until: dt.datetime | None, most: dt.timedelta) -> dt.datetime:
    """Return the end that one of the two options says, in UTC.

    Raises:
        UsageError: none or both are given, or it is too far ahead.
    """
    if (length is None) is (until is None):
        raise click.UsageError("give either --for LENGTH or --until TIME")
    now = dt.datetime.now(dt.UTC)
    if length is not None:
        return now + length
    if until is not None and until - now <= most:
        return until
    raise click.BadParameter(f"wanted a time within {most.days} days", param_hint="--until")
