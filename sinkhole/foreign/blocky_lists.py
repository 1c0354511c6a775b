"""The lists of a blocky, in groups: from URLs, from files, or written into the configuration; with their schedules."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Final

from sinkhole.errors import ForeignFileError, PolicyError
from sinkhole.feeds.row import RowError
from sinkhole.foreign.model import Foreign, ForeignList, ForeignRule, Place, Scope
from sinkhole.foreign.names import expression_rule, name_rule
from sinkhole.foreign.yaml_section import Section
from sinkhole.foreign.zone_of_machine import local_zone
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.schedule import Schedule
from sinkhole.policy.schedule_text import schedule_from_text

_DENY: Final = ("denylists", "blackLists")
_ALLOW: Final = ("allowlists", "whiteLists")


class ListGroups:
    """The groups of lists.

    Args:
        scopes: for whom each group holds.
    """

    def __init__(self, blocking: Section, scopes: Mapping[str, list[Scope]], into: Foreign) -> None:
        self._blocking = blocking
        self._scopes = scopes
        self._into = into

    def read(self) -> None:
        """Take all of them in."""
        schedules = self._schedules()
        denied = {name for keys in _DENY for name in self._blocking.section(keys).names()}
        for keys, action in ((_DENY, RuleAction.BLOCK), (_ALLOW, RuleAction.ALLOW)):
            for key in keys:
                groups = self._blocking.section(key)
                for name in groups.names():
                    scopes = tuple(dict.fromkeys(self._scopes.get(name, ())))
                    if not scopes:
                        self._into.leave_out(groups.place_of(name), name, "no client has this group of lists")
                        groups.texts(name)
                        continue
                    if action is RuleAction.ALLOW and name not in denied:
                        why = "a group that only allows, which blocks everything else; there is none here"
                        self._into.leave_out(groups.place_of(name), name, why)
                    for text, place in groups.texts(name):
                        self._read_source(text, place, action, scopes, schedules.get(name), name)

    def _read_source(
        self, text: str, place: Place, action: RuleAction, scopes: tuple[Scope, ...], schedule: Schedule | None,
        name: str,
    ) -> None:  # fmt: skip
        if "\n" in text:
            self._read_inline(text, place, action, scopes, schedule)
        elif not text.startswith(("http://", "https://")):
            why = "a file of that machine; put it into lists/ and add it with: sinkhole feeds add file:NAME"
            self._into.leave_out(place, text, why)
        elif action is RuleAction.ALLOW:
            self._into.leave_out(place, text, "a remote list that allows; a remote list can only block here")
        else:
            # The wildcards of its lists are what our lists of domains have, and those of no other format.
            if not self._into.lists:
                why = "where it is a list of plain names, each blocks all names below it too; so in all others"
                self._into.alter(place, text, why)
            reason = f"group {name}"
            self._into.lists.append(ForeignList(text, scopes, place, reason=reason, schedule=schedule, format="auto"))

    def _read_inline(
        self, text: str, place: Place, action: RuleAction, scopes: tuple[Scope, ...], schedule: Schedule | None
    ) -> None:
        for number, row in enumerate(text.split("\n"), 1):
            where = Place(place.file, place.line, f"{place.key} row {number}")
            try:
                for rule in _rules(row, action):
                    self._into.rules.append(ForeignRule(rule, scopes, where, schedule=schedule))
            except RowError as error:
                self._into.leave_out(where, row.strip(), str(error))

    def _schedules(self) -> Mapping[str, Schedule]:
        """Return when the groups hold that do not always; times are those of blocky's machine."""
        schedules = self._blocking.section("schedules")
        found: dict[str, Schedule] = {}
        for name in schedules.names():
            place = schedules.place_of(name)
            parts = [part for section in schedules.sections(name) for part in _parts(section)]
            try:
                zone = local_zone()
                found[name] = schedule_from_text(f"{'; '.join(parts)} @{zone}")
            except PolicyError as error:
                raise ForeignFileError(f"{place}: {error}") from error
            self._into.alter(place, name, f"its times are taken in the zone of this machine, {zone}")
        return found


def _rules(row: str, action: RuleAction) -> Iterator[Rule]:
    """Yield what one row of a list says: a name, a wildcard, an expression, or names at an address."""
    text = row.strip()
    if not text.startswith("/"):
        text = text.partition("#")[0].strip()
    if not text or text.startswith("#"):
        return
    if text.startswith("/") and text.endswith("/") and len(text) > 2:
        yield expression_rule(text[1:-1], action)
    elif text.startswith("*."):
        yield name_rule(text[2:], Match.SUFFIX, action)
    else:
        for name in _names(text):
            yield name_rule(name, Match.EXACT, action)


def _names(text: str) -> Iterable[str]:
    """Return the names of a row; the address of a row of a hosts file says nothing."""
    words = text.split()
    try:
        ip_address(words[0].partition("%")[0])
    except ValueError:
        if len(words) > 1:
            raise RowError(f"wanted one name; found {text[:60]!r}") from None
        return words
    if len(words) == 1:
        raise RowError("an address, which is looked for in answers; block it with: sinkhole policy block address:…")
    return words[1:]


def _parts(section: Section) -> Iterator[str]:
    """Yield the parts of a schedule: days with hours."""
    days = ",".join(text.strip().lower()[:3] for text, _ in section.texts("days"))
    ranges = [text.strip() for key in ("hoursRanges", "ranges") for text, _ in section.texts(key)]
    start, end = section.text("start"), section.text("end")
    if start or end:
        ranges.append(f"{start or '00:00'}-{end or '24:00'}")
    yield f"{days} {','.join(ranges) or '00:00-24:00'}".strip()
