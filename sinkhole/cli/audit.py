"""`sinkhole audit`: who changed what, from where, and whether the record of it is whole."""

import json
import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import local_time, print_json, print_line, print_table
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.errors import StoreError
from sinkhole.noted import AuditEntry
from sinkhole.store.audit import entries, entry_of, verify

_SHOWN = 10
"""Broken entries named one by one."""


@click.group()
def audit() -> None:
    """Show who changed policy, groups and feeds, when, from where, and what was before and after.

    Entries are only ever added, each chained to the one before by a digest.
    """


@audit.command("list", short_help="List changes, the newest first.")
@place_options
@click.argument("text", default="")
@click.option("--since", type=Since(), default=0, help="7d, 12h, 30min, or a local date; else from the first on.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Entries listed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the values before and after.")
def list_entries(place: Place, text: str, since: int, limit: int, as_json: bool) -> None:
    """List changes, the newest first; with TEXT, those in which it occurs.

    \b
    Example: sinkhole audit list vendor:deepseek --since 30d
    """
    with opened(place) as state, state.store.reading() as connection:
        found = entries(connection, limit, since=since, text=text)
    if as_json:
        print_json([_as_dict(entry) for entry in found])
        return
    rows = [(str(e.id), local_time(e.at), e.who, e.origin, e.what) for e in found]
    print_table(("entry", "when", "who", "from", "what"), rows, empty="no change that fits")


@audit.command(short_help="Show one change, before and after.")
@place_options
@click.argument("number", type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(place: Place, number: int, as_json: bool) -> None:
    """Show the change with this NUMBER: each value that differs, before and after.

    \b
    Example: sinkhole audit show 12
    """
    with opened(place) as state, state.store.reading() as connection:
        entry = entry_of(connection, number)
    if entry is None:
        raise StoreError(f"there is no entry {number} in the audit log")
    if as_json:
        print_json(_as_dict(entry))
        return
    print_line(f"{entry.what}, by {entry.who}, {local_time(entry.at)}{f', on {entry.origin}' if entry.origin else ''}")
    before, after = (_fields(text) for text in (entry.before, entry.after))
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old == new:
            print_line(f"  {key}: {_word(new)}")
        else:
            print_line(f"  {key}: {_word(old)} -> {_word(new)}")
    print_line(f"digest {entry.digest or 'none'}")


@audit.command("verify", short_help="Tell whether the audit log is whole.")
@place_options
@click.option("--head", metavar="NUMBER:DIGEST", help="What an earlier verify told: whether that entry is still there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_chain(place: Place, head: str | None, as_json: bool) -> None:
    """Tell whether each entry is as it was written, and none is missing between. Exit status: 0 yes, 1 no.

    Note the head somewhere else: by the log alone a cut end, or a chain that was forged as a whole, is not to be told
    from a true one. The server logs it at each start as audit.head.

    \b
    Example: sinkhole audit verify --head 12:0fd3…
    """
    number, digest = _read_head(head)
    with opened(place) as state, state.store.reading() as connection:
        found = verify(connection)
        known = None if number is None else entry_of(connection, number)
    is_known = head is None or (known is not None and known.digest == digest)
    is_whole = not found.broken and is_known
    if as_json:
        print_json({"whole": is_whole, "entries": found.count, "head": found.head or None, "broken": found.broken})
    elif is_whole:
        print_line(f"whole: {found.count} {'entry' if found.count == 1 else 'entries'}, head {found.head or 'none'}")
    else:
        for broken in found.broken[:_SHOWN]:
            print_line(f"entry {broken} is not what was written, or the entry before it is missing")
        if len(found.broken) > _SHOWN:
            print_line(f"and {len(found.broken) - _SHOWN} more")
        if not is_known:
            print_line(f"entry {number} is {'another' if known else 'gone'}: the log is not the one of that head")
    sys.exit(0 if is_whole else 1)


def _read_head(text: str | None) -> tuple[int | None, str]:
    if text is None:
        return None, ""
    found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not NUMBER:DIGEST as audit verify prints it", param_hint="--head")
    return int(found[1]), found[2]


def _as_dict(entry: AuditEntry) -> dict[str, Any]:
    values = {"before": _value(entry.before), "after": _value(entry.after)}
    return asdict(entry) | {"at": datetime.fromtimestamp(entry.at, UTC)} | values


def _value(text: str | None) -> Any:
    """Read a value; what someone else put there is shown as it is."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _fields(text: str | None) -> dict[str, Any]:
    value = _value(text)
    if isinstance(value, dict):
        return value
    return {} if value is None else {"value": value}


def _word(value: object) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
