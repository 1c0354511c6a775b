"""That a client asked: how often within an hour, from when to when."""

from dataclasses import dataclass
from typing import Any

from sinkhole.errors import PolicyError

_WIDTH = 5


@dataclass(frozen=True, slots=True)
class Activity:
    """Queries of one client within one hour.

    `client` is an address, or `mac:…` or `id:…` of one that a forwarder named without its address; `first` and `last`
    are epoch seconds of the same hour; `groups` are those it is in, the strongest first.
    """

    client: str
    first: int
    last: int
    queries: int
    groups: tuple[str, ...] = ()

    def to_json_row(self) -> list[Any]:
        """Return the fields in order, as a list that JSON can hold."""
        return [self.client, self.first, self.last, self.queries, list(self.groups)]

    @classmethod
    def from_json_row(cls, row: list[Any]) -> "Activity":
        """Read what `to_json_row` wrote.

        Raises:
            PolicyError: the list does not have the fields of a row.
        """
        if len(row) != _WIDTH:
            raise PolicyError(f"an activity has {_WIDTH} fields; found {len(row)}")
        client, first, last, queries, groups = row
        return cls(client, first, last, queries, tuple(groups))
