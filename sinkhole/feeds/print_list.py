"""Write names that are blocked as a list of another program, with a head that says what the list does not carry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sinkhole.feeds.row import printable
from sinkhole.feeds.written_formats import WRITTEN, WrittenFormat
from sinkhole.policy.vendor import DomainMatch

_Name = tuple[DomainMatch, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """What is to be listed.

    Attributes:
        title: what the list is of, in words.
        version: of the catalogue.
        names: how each matches, and the name.
        open: exact names that nothing may block, at or below names of the list.
        remarks: what else the head says.
    """

    title: str
    version: int
    names: Sequence[_Name]
    open: Sequence[str] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PrintedList:
    """A list as text; `carried` of the names are in it, `missing` are not, since the format cannot say them."""

    text: str
    carried: int
    missing: int


def print_list(listing: Listing, list_format: str) -> PrintedList:
    """Return the list in one of the formats of `WRITTEN`."""
    form = WRITTEN[list_format]
    every = sorted(set(listing.names), key=_order)
    obstacles = {one: _obstacle(*one, listing.open, form) for one in every}
    above = {name for match, name in every if match is DomainMatch.SUFFIX and obstacles[match, name] is None}
    wanted = [one for one in every if not (form.reaches_below and _is_below(one[1], above))]
    rows: list[str] = []
    missing: list[str] = []
    for match, name in wanted:
        if (why := obstacles[match, name]) is not None:
            missing.append(f"not carried: {name} ({why})")
            continue
        rows += form.blocks[match](name)
        if match is DomainMatch.SUFFIX and form.reaches_below and form.opens is not None:
            rows += [row for one in _open_below(name, listing.open) for row in form.opens(one)]
    carried = len(wanted) - len(missing)
    more = f", which cover {len(every) - len(wanted)} more" if len(every) > len(wanted) else ""
    sums = f"carried: {carried} names{more}; not carried: {len(missing)}"
    head = [*_head(listing, list_format, form, sums), *missing]
    lines = [*(f"{form.comment} {printable(line)}".rstrip() for line in head), *form.opening(listing.version), *rows]
    return PrintedList("\n".join(lines) + "\n", carried, len(missing))


def _obstacle(match: DomainMatch, name: str, spared: Sequence[str], form: WrittenFormat) -> str | None:
    """Return why a format cannot carry a name, None where it can."""
    if match not in form.blocks:
        return _WORDS[match]
    if match is DomainMatch.SUFFIX and name in spared:
        return "the name itself must stay open"
    if match is DomainMatch.SUFFIX and form.reaches_below and form.opens is None:
        return next((f"{one} below it must stay open" for one in _open_below(name, spared)), None)
    return None


def _open_below(name: str, spared: Sequence[str]) -> list[str]:
    return [one for one in spared if one.endswith("." + name)]


def _order(one: _Name) -> tuple[list[str], str]:
    """Order names by their labels from the right, so that what belongs together stands together."""
    return one[1].split(".")[::-1], one[0].value


def _is_below(name: str, above: set[str]) -> bool:
    while "." in name:
        name = name.partition(".")[2]
        if name in above:
            return True
    return False


def _head(listing: Listing, list_format: str, form: WrittenFormat, sums: str) -> Iterator[str]:
    yield f"{listing.title}; catalogue of Sinkhole, version {listing.version}"
    yield f"{list_format}: {form.meaning}"
    yield sums
    if not form.reaches_below:
        narrowed = sum(match is DomainMatch.SUFFIX for match, _ in listing.names)
        yield f"{narrowed} of the names are meant with all names below them, which this format cannot say"
    yield from listing.remarks


_WORDS = {
    DomainMatch.SUFFIX: "with all names below it",
    DomainMatch.EXACT: "this name alone",
    DomainMatch.WILDCARD: "* is one label or a part of one",
}
