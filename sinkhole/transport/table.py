"""What the packet cache keeps for one scope."""

from collections.abc import Hashable

from mypy_extensions import mypyc_attr

from sinkhole.transport.entry import Entry
from sinkhole.transport.pieces import Pieces


@mypyc_attr(allow_interpreted_subclasses=True)
class Table:
    """Replies for one scope and one kind of transport.

    Attributes:
        young, old: finished ones; `young` is read directly on the fast path.
        proven, waning: the young and the old part of those that were asked for again.
        pieces: what replies to blocked names are made of (`blocked_replies`); `forms` are the queries they are for.
    """

    __slots__ = ("forms", "old", "pieces", "proven", "waning", "young")

    def __init__(self) -> None:
        self.young: dict[bytes, Entry] = {}
        self.old: dict[bytes, Entry] = {}
        self.proven: dict[bytes, Entry] = {}
        self.waning: dict[bytes, Entry] = {}
        self.forget_pieces()

    def forget_pieces(self) -> None:
        """Begin anew with pieces."""
        self.pieces: dict[tuple[bytes, Hashable, int], Pieces] = {}
        self.forms: set[bytes] = set()
