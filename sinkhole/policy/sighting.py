"""One recorded row of names that look like AI: a domain, why, and how often it was answered."""

from dataclasses import dataclass
from typing import Any

from sinkhole.errors import PolicyError

_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Sighting:
    """Answers for one domain and what is below it, counted.

    Attributes:
        domain: in text form.
        reasons: the signs, in words.
        count: answers that were not given by the packet cache.
        first, last: epoch seconds.
        examples: host names that were asked for, a few.
        is_by_name: the name alone shows the signs, so that policy can see them when it decides.
        clients: addresses of who asked; empty unless the settings want them.
    """

    domain: str
    reasons: tuple[str, ...]
    count: int
    first: int
    last: int
    examples: tuple[str, ...]
    is_by_name: bool
    clients: tuple[str, ...] = ()

    def to_json_row(self) -> list[Any]:
        """Return the fields in order, as a list that JSON can hold."""
        return [
            self.domain, self.reasons, self.count, self.first, self.last, self.examples, self.is_by_name, self.clients,
        ]  # fmt: skip

    @classmethod
    def from_json_row(cls, row: list[Any]) -> "Sighting":
        """Read what `to_json_row` wrote.

        Raises:
            PolicyError: the list does not have the fields of a row.
        """
        if len(row) != _WIDTH:
            raise PolicyError(f"a sighting has {_WIDTH} fields; found {len(row)}")
        domain, reasons, count, first, last, examples, is_by_name, clients = row
        return cls(domain, tuple(reasons), count, first, last, tuple(examples), is_by_name, tuple(clients))
