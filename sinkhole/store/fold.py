"""Take counts together: those of a vendor in all groups, or of the vendors with one label."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from sinkhole.store.span_cache import Sums
from sinkhole.store.span_sql import Labels

TextsOf = Callable[[Iterable[int]], dict[int, str]]
"""Returns the texts of words."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Parts are not told apart, and keys are those of `labels` if there are any.

    What adjoining times are folded to may be added up, as they may themselves; a key without a label is left out.
    Attempts are told apart by client and vendor, so keys that are taken together must be those of different vendors.
    """

    labels: Labels | None = None

    @property
    def told_by(self) -> Hashable:
        """What changes with how counts are taken together."""
        return "parts" if self.labels is None else self.labels.digest

    def of(self, sums: Sums, texts: TextsOf) -> Sums:
        """Return sums taken together; those given are not to be used any more."""
        found: Sums = {}
        labels_of = None if self.labels is None else self.labels.numbers_of(texts({key for key, _ in sums}))
        for (key, _), one in sums.items():
            for place in (key,) if labels_of is None else labels_of.get(key, ()):
                if (known := found.get((place, 0))) is not None:
                    known.join(one)
                else:
                    found[place, 0] = one.copy() if labels_of else one
        return found


def joined(sums: Sums, others: Sums) -> Sums:
    """Add other sums to some, and return these; the others are not to be used any more."""
    for pair, one in others.items():
        if (known := sums.get(pair)) is None:
            sums[pair] = one
        else:
            known.join(one)
    return sums
