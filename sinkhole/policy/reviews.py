"""What people said, and did not say yet, of names that look like AI; what the subject `unreviewed` goes by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sinkhole.policy.key import wire_from_text
from sinkhole.protocol.names import name_to_text, parents_of


@dataclass(frozen=True, slots=True)
class Reviews:
    """Domains in folded wire form, each with all below it; of two that a name is below, the longer counts.

    Attributes:
        waiting: nobody has looked at them yet.
        ignored: someone looked at them, or they are the network's own.
    """

    waiting: frozenset[bytes] = frozenset()
    ignored: frozenset[bytes] = frozenset()

    @classmethod
    def from_texts(cls, waiting: Iterable[str], ignored: Iterable[str]) -> "Reviews":
        """Read domains in text form.

        Raises:
            PolicyError: one is no name.
        """
        return cls(frozenset(map(wire_from_text, waiting)), frozenset(map(wire_from_text, ignored)))

    def find(self, name: bytes) -> tuple[bytes, bool] | None:
        """Return the longest domain that a folded name is at or below, and whether it waits; None where none is."""
        for domain in parents_of(name):
            if domain in self.ignored:
                return domain, False
            if domain in self.waiting:
                return domain, True
        return None

    def to_json(self) -> dict[str, Any]:
        """Return it as values for JSON: the same reviews, the same values."""
        return {
            "waiting": sorted(map(name_to_text, self.waiting)),
            "ignored": sorted(map(name_to_text, self.ignored)),
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Reviews":
        """Read what `to_json` wrote; may raise KeyError or TypeError for something else."""
        return cls.from_texts(fields["waiting"], fields["ignored"])


NO_REVIEWS: Final = Reviews()
