"""A hosts file: names at a null address are denied, names at any other are records."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from sinkhole.errors import ForeignFileError, FormError
from sinkhole.feeds.hostname import LOCAL_NAMES
from sinkhole.feeds.row import RowError
from sinkhole.foreign.model import Foreign, ForeignRecord, ForeignRule, Place, Scope
from sinkhole.foreign.names import address_lines, name_rule
from sinkhole.foreign.source import read_text, text_kind
from sinkhole.policy.rule import Match, RuleAction

_OWN_HOST = ip_address("127.0.1.1")
"""What Debian gives the machine's own name."""
_LOOKED_AT = 200


def read_hosts_file(path: Path) -> Foreign:
    """Read what a hosts file says.

    Raises:
        ForeignFileError: the file is none.
    """
    text = read_text(path, "a hosts file")
    lines = text.splitlines()
    if not any(_address_and_names(line) for line in lines[:_LOOKED_AT]):
        raise ForeignFileError(f"{path}: wanted a hosts file; it looks like {text_kind(text)}")
    into = Foreign("hosts")
    read_hosts(numbered(lines, path.name), into)
    return into


def numbered(lines: Iterable[str], file: str, key: str = "") -> Iterator[tuple[str, Place]]:
    """Yield lines with their places: lines of a file, or items of a key in it."""
    for number, line in enumerate(lines, 1):
        yield line, Place(file, None, f"{key}[{number}]") if key else Place(file, number)


def read_hosts(rows: Iterable[tuple[str, Place]], into: Foreign, scopes: tuple[Scope, ...] = (None,)) -> None:
    """Take in the rows of a hosts file."""
    seen: set[str] = set()
    for text, place in rows:
        found = _address_and_names(text)
        if found is None:
            if text.partition("#")[0].strip():
                into.leave_out(place, text.strip(), "wanted an address and names")
            continue
        address, names = found
        for name in names:
            if name.lower().rstrip(".") in LOCAL_NAMES:
                continue  # every machine answers them by itself
            if ip_address(address) == _OWN_HOST:
                into.leave_out(place, name, "the name of the machine that the file is from")
                continue
            try:
                _take(address, name, scopes, place, seen, into)
            except (RowError, FormError) as error:
                into.leave_out(place, name, str(error))


def is_null(address: str) -> bool:
    """Return whether an address leads nowhere, so that a name at it is blocked."""
    value = ip_address(address)
    return value.is_unspecified or value.is_loopback


def _take(
    address: str, name: str, scopes: tuple[Scope, ...], place: Place, seen: set[str], into: Foreign
) -> None:  # fmt: skip
    if is_null(address):
        into.rules.append(ForeignRule(name_rule(name, Match.EXACT, RuleAction.BLOCK), scopes, place))
        return
    # The first name of an address is the one it leads back to (hosts(5)).
    lines = address_lines(name, [address], with_reverse=address not in seen)
    seen.add(address)
    into.records += [ForeignRecord(line, place) for line in lines]


def _address_and_names(line: str) -> tuple[str, list[str]] | None:
    words = line.partition("#")[0].split()
    try:
        return (str(ip_address(words[0].partition("%")[0])), words[1:]) if len(words) > 1 else None
    except ValueError:
        return None
