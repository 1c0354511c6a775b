"""Where in a name a label stands: in the part that someone registered, or below it."""

from typing import Final, NamedTuple

from sinkhole.protocol.names import name_of, name_to_text

_OWN_NETWORK: Final = frozenset(
    b"arpa corp home internal intranet invalid lan local localdomain localhost onion private test".split()
)
"""Top-level domains that nobody else can register in: names of one's own network (RFC 6761, RFC 8375), or no name."""
_SECOND_LEVEL: Final = frozenset(b"ac co com edu gob gov gouv go id in mil ne net nom or org web".split())
"""What countries put below their domain for others to register in."""

OF_COUNTRIES: Final = 2
"""Octets of the labels of countries."""


class Place(NamedTuple):
    """One label of a name.

    Attributes:
        labels: of the whole name, folded, without the root.
        at: number of the label.
        registered: number of the label that someone registered.
    """

    labels: tuple[bytes, ...]
    at: int
    registered: int

    @property
    def is_below(self) -> bool:
        """Whether it is below what was registered, so its choice was free."""
        return self.at < self.registered

    @property
    def owner(self) -> str:
        """The registered name, in words."""
        return name_to_text(name_of(self.labels[self.registered :]))

    def is_within(self, zone: tuple[bytes, ...]) -> bool:
        """Return whether the label is part of a whole domain that stands below what was registered."""
        for start in range(max(0, self.at - len(zone) + 1), self.at + 1):
            end = start + len(zone)
            if end <= self.registered and self.labels[start:end] == zone:
                return True
        return False


def registered_label(labels: tuple[bytes, ...]) -> int | None:
    """Return the number of the label that someone registered, or None where nobody else can.

    A guess without the list of public suffixes, which would cost each worker its memory. A wrong one changes only what
    kind of imitation is told.
    """
    if len(labels) < 2 or labels[-1] in _OWN_NETWORK:
        return None
    if len(labels) > 2 and is_shared(*labels[-2:]):
        return len(labels) - 3
    return len(labels) - 2


def is_shared(second: bytes, top: bytes) -> bool:
    """Return whether others register below these two last labels, folded, as below `co.uk`; by the guess."""
    return len(top) == OF_COUNTRIES and second in _SECOND_LEVEL


def is_too_wide(labels: tuple[bytes, ...]) -> bool:
    """Return whether names right below a folded name are those that somebody registers (`com`, `co.uk`), by the guess.

    Such a name cannot be one network's own.
    """
    return not labels or registered_label((b"x", *labels)) == 0
