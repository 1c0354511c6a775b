"""One recorded row: how often a client asked for a name within one minute, and what it was told."""

from dataclasses import dataclass
from typing import Any

from sinkhole.errors import PolicyError

_WIDTH = 13


@dataclass(frozen=True, slots=True)
class HitRow:
    """Equal queries of one minute, counted.

    `minute` is whole minutes since the epoch, `first` and `last` are epoch seconds. `client` is an address,
    `name` a name in escaped text, `action` is allow, monitor, coach or block; the rest says which rule decided, and
    `subject` which override (`pause:3`) if one did.
    """

    minute: int
    client: str
    group: str | None
    name: str
    qtype: int
    action: str
    vendor: str | None
    product: str | None
    feed: str | None
    subject: str | None
    count: int
    first: int
    last: int

    def to_json_row(self) -> list[Any]:
        """Return the fields in order, as a list that JSON can hold."""
        return [
            self.minute, self.client, self.group, self.name, self.qtype, self.action, self.vendor, self.product,
            self.feed, self.subject, self.count, self.first, self.last,
        ]  # fmt: skip

    @classmethod
    def from_json_row(cls, row: list[Any]) -> "HitRow":
        """Read what `to_json_row` wrote.

        Raises:
            PolicyError: the list does not have the fields of a row.
        """
        if len(row) != _WIDTH:
            raise PolicyError(f"a hit has {_WIDTH} fields; found {len(row)}")
        return cls(*row)
