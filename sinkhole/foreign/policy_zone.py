"""A response policy zone: its triggers are rules, its local data records, its addresses in answers statements."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from sinkhole.errors import ForeignFileError, FormError
from sinkhole.feeds.formats.rpz import RpzReader
from sinkhole.feeds.formats.zone_file import Entry, ZoneFile
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.foreign.hosts import is_null
from sinkhole.foreign.model import Foreign, ForeignRecord, ForeignRule, ForeignStatement, Place
from sinkhole.foreign.names import checked_line
from sinkhole.foreign.source import read_text, text_kind
from sinkhole.policy.rule import Rejection, Rule
from sinkhole.policy.verdict import Action

_IP: Final = ".rpz-ip"
_OTHER_TRIGGERS: Final = (".rpz-client-ip", ".rpz-nsdname", ".rpz-nsip")
_BLOCKS: Final = (".", "*.", "rpz-drop.")
_NAMED_DATA: Final = frozenset({"MX", "SRV", "PTR", "DNAME", "CNAME", "HTTPS", "SVCB"})
"""Types whose data hold names, which must be absolute to stand in a line of their own."""
_SAMPLE: Final = 200


def read_policy_zone(path: Path) -> Foreign:
    """Read what a policy zone says.

    Raises:
        ForeignFileError: the file is none.
    """
    text = read_text(path, "a response policy zone")
    into = Foreign("rpz")
    reading = _Reading(path.name, into)
    for number, line in enumerate(text.splitlines(), 1):
        reading.read(line, number)
    reading.finish()
    if not (into.rules or into.records or into.statements):
        raise ForeignFileError(f"{path}: wanted a response policy zone; it looks like {text_kind(text)}")
    return into


class _Reading:
    """The reading of one zone: the reader of lists judges triggers, what it has no word for is looked at here."""

    def __init__(self, file: str, into: Foreign) -> None:
        self._file = file
        self._into = into
        self._zone = ZoneFile()
        self._reader = RpzReader(ReadOptions(local=True))
        self._told: set[str] = set()

    def read(self, line: str, number: int) -> None:
        """Take one row in."""
        place = Place(self._file, number)
        try:
            entry = self._zone.read(line)
        except RowError as error:
            self._into.leave_out(place, line.strip()[:_SAMPLE], str(error))
            return
        if entry is not None and entry.rtype not in ("SOA", "NS") and entry.owner not in ("", "@"):
            try:
                self._take(entry, place)
            except (RowError, FormError) as error:
                self._into.leave_out(place, f"{entry.owner} {entry.rtype} {entry.data}"[:_SAMPLE], str(error))

    def finish(self) -> None:
        """Note what is open at the end."""
        try:
            self._zone.finish()
        except RowError as error:
            self._into.leave_out(Place(self._file), "", str(error))

    def _take(self, entry: Entry, place: Place) -> None:
        owner = entry.owner.lower()
        if owner.endswith(_IP):
            self._take_address(entry, place)
        elif other := next((kind for kind in _OTHER_TRIGGERS if owner.endswith(kind)), None):
            raise RowError(f"a trigger of type {other[1:]}; only queried names and addresses in answers are looked at")
        elif entry.rtype == "CNAME" or (entry.rtype in ("A", "AAAA") and is_null(_address(entry))):
            self._take_trigger(entry, place)
        else:
            self._take_record(entry, place)

    def _take_trigger(self, entry: Entry, place: Place) -> None:
        # With an absolute owner and no origin the reader takes the record as it stands.
        for rule in self._reader.read(f"{entry.owner}. {entry.rtype} {entry.data}", place.line or 0):
            if isinstance(rule, Rejection):
                raise RowError(rule.why)
            if rule.rewrite is not None:
                self._take_record(entry, place)
            else:
                self._into.rules.append(ForeignRule(rule, (None,), place))
                self._tell(rule, entry, place)

    def _tell(self, rule: Rule, entry: Entry, place: Place) -> None:
        """Note once for each kind of action what becomes of it."""
        said = {
            "*.": "NODATA is answered as all that is blocked is (blocking.mode)",
            "rpz-drop.": "is answered as all that is blocked is (blocking.mode), not dropped",
        }.get(entry.data.lower())
        if said and entry.data.lower() not in self._told:
            self._told.add(entry.data.lower())
            self._into.alter(place, f"CNAME {entry.data}", f"{said}; so are all others like it")

    def _take_record(self, entry: Entry, place: Place) -> None:
        if entry.rtype in _NAMED_DATA and not entry.data.endswith("."):
            raise RowError("a name in the data that is not absolute; end it with a dot")
        self._into.records.append(ForeignRecord(checked_line(f"{entry.owner} {entry.rtype} {entry.data}"), place))

    def _take_address(self, entry: Entry, place: Place) -> None:
        network = _network(entry.owner[: -len(_IP)])
        data = entry.data.lower()
        if entry.rtype == "CNAME" and data in (*_BLOCKS, "rpz-passthru."):
            action = Action.BLOCK if data in _BLOCKS else Action.ALLOW
            self._into.statements.append(ForeignStatement(f"address:{network}", action, None, place))
        else:
            raise RowError("an answer for an address in answers; it can only be blocked or allowed here")


def _address(entry: Entry) -> str:
    try:
        return str(ip_network(entry.data).network_address)
    except ValueError:
        raise RowError(f"wanted an address; found {entry.data[:60]!r}") from None


def _network(text: str) -> IPv4Network | IPv6Network:
    """Return the network of an owner such as `24.0.2.0.192` or `32.zz.db8.2001` (section 4.1.1 of the draft)."""
    prefix, *parts = text.lower().split(".")
    parts.reverse()
    try:
        if len(parts) == 4 and "zz" not in parts:
            return ip_network(f"{'.'.join(parts)}/{prefix}")
        groups = ":".join("" if part == "zz" else part for part in parts)
        groups = f":{groups}" if groups.startswith(":") else groups
        groups = f"{groups}:" if groups.endswith(":") else groups
        return ip_network(f"{IPv6Address(groups)}/{prefix}")
    except ValueError:
        raise RowError(f"{text[:60]!r} is no network") from None
