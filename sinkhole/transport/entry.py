"""A finished reply, as the packet cache keeps it."""

from typing import Final

from mypy_extensions import mypyc_attr

from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.ttl import aged, ttl_offsets

_ID_OCTETS: Final = 2
_OVERHEAD: Final = 700
"""Octets of an entry besides its wire forms: objects, dictionary slots (measured with tracemalloc)."""


@mypyc_attr(acyclic=True)
class Entry:
    """A finished reply with what is needed to age it and to record that it was served.

    `tail` is the reply after the id, right until `due`; `renew` makes it right again for the next second, and looks for
    TTLs when that is first wanted: most replies are asked for again within a second, or never. Name
    (folded), qtype and verdict are what is counted each time the reply is served, if `is_recorded`.
    """

    __slots__ = ("_birth", "_expires", "_offsets", "_wire", "due", "is_recorded", "name", "qtype", "tail", "verdict")

    def __init__(
        self,
        wire: bytes,
        now: float,
        ttl: float,
        name: bytes = b"",
        qtype: int = 0,
        verdict: Verdict | None = None,
        is_recorded: bool = False,
    ) -> None:
        self._wire = wire
        self._offsets: list[int] | None = None
        self._birth = now
        self._expires = now + ttl
        self.tail = wire[_ID_OCTETS:]
        self.due = now + 1.0 if ttl > 1.0 else self._expires
        self.name = name
        self.qtype = qtype
        self.verdict = verdict
        self.is_recorded = is_recorded

    @property
    def size(self) -> int:
        """Octets the entry takes, about."""
        return 2 * len(self._wire) + _OVERHEAD

    def renew(self, now: float) -> bool:
        """Count the TTLs down to `now`; return False when the reply may no longer be served.

        Raises:
            FormError: it is no reply that we wrote.
        """
        if now >= self._expires:
            return False
        offsets = self._offsets
        if offsets is None:
            offsets = self._offsets = ttl_offsets(self._wire)
        seconds = int(now - self._birth)
        self.tail = aged(self._wire, offsets, seconds, _ID_OCTETS)
        due = self._birth + seconds + 1.0
        self.due = due if due < self._expires else self._expires
        return True
