"""The names that a blocky answers itself: its mapping, with all names below each, and its zone."""

from typing import Final

from sinkhole.errors import FormError
from sinkhole.foreign.model import Foreign, ForeignRecord, Place
from sinkhole.foreign.names import address_lines, checked_line
from sinkhole.foreign.yaml_section import Section

_DIRECTIVE: Final = "$ORIGIN"
_NAMED_DATA: Final = frozenset({"CNAME", "DNAME", "MX", "NS", "PTR", "SRV"})
"""Types whose data end with a name."""


def read_custom_dns(section: Section, into: Foreign) -> None:
    """Take in `mapping` and `zone` of `customDNS`."""
    mapping = section.section("mapping")
    for name in mapping.names():
        text = mapping.text(name)
        try:
            addresses = [word for word in text.split(",") if word.strip()]
            lines = address_lines(name, addresses, with_reverse=True) + address_lines(
                f"*.{name}", addresses, with_reverse=False
            )
        except FormError as error:
            into.leave_out(mapping.place_of(name), f"{name} -> {text}", str(error))
            continue
        into.records += [ForeignRecord(line, mapping.place_of(name)) for line in lines]
    rewrite = section.section("rewrite")
    for name in rewrite.names():
        said = f"{name} -> {rewrite.text(name)}"
        into.leave_out(rewrite.place_of(name), said, "questions are not rewritten here; write a record for each name")
    section.text("customTTL")
    if not section.flag("filterUnmappedTypes", True):
        why = "a name that has a record here has no other types"
        into.leave_out(section.place_of("filterUnmappedTypes"), "false", why)
    zone = section.text("zone")
    if zone:
        _read_zone(zone, section.place_of("zone"), into)


def _read_zone(text: str, place: Place, into: Foreign) -> None:
    origin = ""
    for number, line in enumerate(text.splitlines(), 1):
        row = line.partition(";")[0].strip() if '"' not in line else line.strip()
        where = Place(place.file, place.line, f"{place.key} row {number}")
        words = row.split()
        if not words:
            continue
        if words[0] == _DIRECTIVE and len(words) == 2:
            origin = words[1].rstrip(".")
        elif words[0].startswith("$") or line[:1].isspace() or "(" in row:
            into.leave_out(where, row, "only $ORIGIN and records with their owner, on one row each, are read")
        else:
            try:
                into.records.append(ForeignRecord(checked_line(_absolute(words, origin)), where))
            except FormError as error:
                into.leave_out(where, row, str(error))


def _absolute(words: list[str], origin: str) -> str:
    owner = origin if words[0] == "@" else words[0]
    if origin and words[0] != "@" and not owner.endswith("."):
        owner = f"{owner}.{origin}"
    rest = words[1:]
    if origin and _NAMED_DATA & {word.upper() for word in rest[:-1]} and not rest[-1].endswith("."):
        rest[-1] = f"{rest[-1]}.{origin}"
    return " ".join([owner or ".", *rest])
