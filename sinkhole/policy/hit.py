"""One recorded row: how often a client asked for a name within one minute, and what it was told."""

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any, Final, NamedTuple

from sinkhole.errors import PolicyError


class HitRow(NamedTuple):
    """Equal queries of one minute, counted.

    `minute` is whole minutes since the epoch, `first` and `last` are epoch seconds. `client` is an address,
    `name` a name in escaped text, `action` is allow, monitor, coach or block; the rest says which rule decided, and
    `subject` which override (`pause:3`) if one did. (A tuple: under a flood one is made for every query, twice.)
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
    count: int  # type: ignore[assignment]  # hides the method of tuples, which nobody wants of a row
    first: int
    last: int


_NUMBER, _TEXT, _TEXT_OR_NONE = frozenset((int,)), frozenset((str,)), frozenset((str, type(None)))
_TYPES: Final = (
    _NUMBER, _TEXT, _TEXT_OR_NONE, _TEXT, _NUMBER, _TEXT, _TEXT_OR_NONE, _TEXT_OR_NONE, _TEXT_OR_NONE, _TEXT_OR_NONE,
    _NUMBER, _NUMBER, _NUMBER,
)  # fmt: skip
"""What each field of a row may be."""
_NAME: Final = HitRow._fields.index("name")


def columns_of(rows: Sequence[HitRow]) -> list[Any]:
    """Return rows as JSON can hold them: each field of all of them, the names as a list; nothing for no rows.

    Another field that is the same in all rows is said once. A flood is one client, vendor and minute, so little more
    than its names is left.
    """
    if not rows:
        return []
    fields: list[Any] = [
        field[0] if field.count(field[0]) == len(field) else field for field in zip(*rows, strict=True)
    ]
    fields[_NAME] = [row.name for row in rows]
    return fields


def rows_of(columns: Any) -> tuple[HitRow, ...]:
    """Read what `columns_of` wrote and JSON carried.

    Raises:
        PolicyError: these are not the fields of rows.
    """
    if columns == []:
        return ()
    if not isinstance(columns, list) or len(columns) != len(_TYPES) or not isinstance(columns[_NAME], list):
        raise PolicyError(f"rows of hits: wanted {len(_TYPES)} fields, and a list of names among them")
    number = len(columns[_NAME])
    for name, field, types in zip(HitRow._fields, columns, _TYPES, strict=True):
        if isinstance(field, list) and len(field) != number:
            raise PolicyError(f"rows of hits: wanted {number} of {name}; found {len(field)}")
        if not types.issuperset(map(type, field if isinstance(field, list) else (field,))):
            raise PolicyError(f"rows of hits: {name} is of another type")
    whole = (field if isinstance(field, list) else repeat(field, number) for field in columns)
    return tuple(map(HitRow._make, zip(*whole, strict=True)))


def rows_of_lots(lots: Any) -> tuple[HitRow, ...]:
    """Read a list of what `columns_of` wrote.

    Raises:
        PolicyError: it is none.
    """
    if not isinstance(lots, list):
        raise PolicyError("rows of hits: wanted a list of lots")
    return tuple(chain.from_iterable(map(rows_of, lots)))
