"""What changed between two versions of a list."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from sinkhole.feeds.print_rule import print_rule
from sinkhole.feeds.rule_row import read_key


@dataclass(frozen=True, slots=True)
class Diff:
    """How many rules came and went, and some of them as adblock rows, in order of their names."""

    added: int
    removed: int
    added_rows: tuple[str, ...] = ()
    removed_rows: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return {
            "added": self.added,
            "removed": self.removed,
            "added_rows": list(self.added_rows),
            "removed_rows": list(self.removed_rows),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Return the diff that `to_json` wrote."""
        return cls(found["added"], found["removed"], tuple(found["added_rows"]), tuple(found["removed_rows"]))


def compare(old: Iterable[str], new: set[str], limit: int | None) -> Diff:
    """Compare two versions of a list by the keys of their rules.

    Args:
        old: keys of the older version, each once.
        new: keys of the newer one; is used up, since a copy would cost as much as the list.
        limit: rows of each kind that are told; None for all.
    """
    removed = []
    for key in old:
        if key in new:
            new.remove(key)
        else:
            removed.append(key)
    return Diff(len(new), len(removed), _rows(new, limit), _rows(removed, limit))


def _rows(keys: Iterable[str], limit: int | None) -> tuple[str, ...]:
    ordered = sorted(keys, key=lambda key: key.rpartition("\t")[2])
    return tuple(print_rule(read_key(key)) for key in ordered[:limit])
