"""The administrator's own records, with wildcards (RFC 4592)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sinkhole.errors import ConfigError, FormError
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold, parents_of
from sinkhole.protocol.rdata import records_from_text

_STAR = b"\x01*"

RecordSets = Mapping[int, tuple[Record, ...]]
"""Records of one name, by type."""


class OwnRecords:
    """Records by name. A name that has one record is wholly ours: its other types do not exist.

    Neighbours and parents of such a name are not ours, unless a wildcard covers them.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._sets: dict[bytes, dict[int, tuple[Record, ...]]] = {}
        for record in records:
            types = self._sets.setdefault(fold(record.owner), {})
            here = types.get(record.rtype, ())
            if all(record.rdata != other.rdata for other in here):  # no duplicates in a set (RFC 2181, section 5)
                types[record.rtype] = (*here, record)
        self._existing = {parent for name in self._sets for parent in parents_of(name)}

    @property
    def zones(self) -> frozenset[bytes]:
        """Names at or below which all names are that are ours; a wildcard is that of its parent."""
        return frozenset(name.removeprefix(_STAR) for name in self._sets)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> "OwnRecords":
        """Read lines of the setting `records`.

        Raises:
            ConfigError: with every line that is wrong.
        """
        records: list[Record] = []
        mistakes = []
        for index, line in enumerate(lines):
            try:
                records.extend(records_from_text(line))
            except FormError as error:
                mistakes.append(f"records[{index}]: {error}")
        if mistakes:
            raise ConfigError(*mistakes)
        return cls(records)

    def find(self, name: bytes) -> RecordSets | None:
        """Return the records of `name`, with `name` as their owner; None where the name is not ours."""
        if not self._sets:
            return None
        key = fold(name)
        types = self._sets.get(key)
        if types is None:
            types = self._wildcard(key)
        if types is None:
            return None
        return {rtype: tuple(replace(r, owner=name) for r in records) for rtype, records in types.items()}

    def is_above(self, name: bytes) -> bool:
        """Return whether a name of ours is below `name`, so that `name` exists (RFC 8020)."""
        return fold(name) in self._existing

    def _wildcard(self, key: bytes) -> dict[int, tuple[Record, ...]] | None:
        # RFC 4592, section 3.3.1: only the wildcard right below the closest name that exists applies,
        # and none to a name that exists because another is below it.
        if key in self._existing:
            return None
        for parent in parents_of(key):
            if parent in self._existing:
                return self._sets.get(_STAR + parent)
        return None
