"""Replies to blocked names that were never asked for before, made from replies to others.

Whoever floods a server with `x1.deepseek.com`, `x2.deepseek.com` and so on, or loads a page full of trackers, asks for
names that differ, and gets replies that do not: all names of one spot of policy (`Policy.spot`) get the same octets
before and after the question. What the resolver's chain has said once is kept here as these two pieces, and put around
each further question; nothing is parsed but the name.

Pieces are kept in the table of the client's scope, beside its finished replies, and are forgotten with them: whenever
another policy is in force or this one says something else. They hold only while a whole TTL is left until then, and
where nothing about the reply depends on the name: its letters only through its spot, its length not at all, and its
labels through the place of the zone that a denial points to.
"""

from collections.abc import Iterable
from typing import Final

from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.names import MAX_LABEL, MAX_NAME, parents_of
from sinkhole.protocol.question import HEADER, TYPE_AND_CLASS
from sinkhole.protocol.reply import PLAIN_LIMIT
from sinkhole.transport.pieces import Pieces
from sinkhole.transport.table import Table

MAX_PIECES: Final = 2_000
"""Pairs of pieces kept for one scope, about 1 MB."""
_NAME: Final = HEADER - 2
"""Where the name begins in the octets after the id."""
_LABELS_BELOW_ZONE: Final = 3
_OPT: Final = b"\0\0\x29"
"""The root as its owner, and its type (RFC 6891 section 6.1.2)."""
_OPT_SIZE: Final = 11
"""Octets without options."""


Measured = tuple[bytes, int, bytes, bytes]
"""What `measure` gives."""
_MALFORMED: Measured = (b"", 0, b"", b"")
Made = tuple[bytes, bytes, bytes, Pieces]
"""The folded name that was asked for, its last two labels, the reply after the id, and what that was made of."""


class BlockedReplies:
    """Makes replies out of pieces.

    Args:
        local: names at or below which a name may be answered before policy is asked, folded; None: any name may be.

    `learned` counts pieces that were kept.
    """

    def __init__(self, local: Iterable[bytes] | None) -> None:
        self._is_off = local is None
        self.learned = 0
        self._local = frozenset(_last_two(name) for name in local or ())
        # The last labels of these: most names have none of them, and one look says so.
        self._ends = self._local.union(two[two[0] + 1 :] for two in self._local)

    def find(
        self, query: bytes, form: bytes, measured: Measured, table: Table, policy: Policy, scope: Scope, now: float
    ) -> Made | None:
        """Make the reply to a query; None where that cannot be done.

        Args:
            query: its octets after the id.
            form: what `form_of` says of it.
            measured: what `measure` says of it.
            table: of the scope and kind of transport.
            now: monotonic seconds.
        """
        if form not in table.forms:
            return None
        name, shape, domain, key = measured
        spot = policy.spot(name, key, scope) if name else None
        if spot is None:
            return None
        pieces = table.pieces.get((form, spot, shape))
        if pieces is None or now >= pieces.until or self.may_be_local(domain):
            return None
        question = query[_NAME : _NAME + len(name) + TYPE_AND_CLASS]
        return name, domain, pieces.before + question + pieces.after, pieces

    def learn(
        self, wire: bytes, reply: bytes, table: Table, policy: Policy, scope: Scope, verdict: Verdict,
        *, ttl: float, ends: float, is_recorded: bool,
    ) -> None:  # fmt: skip
        """Keep what the chain said of a blocked name, if it holds for others.

        Args:
            ttl: seconds that the reply may be kept by clients.
            ends: monotonic seconds; when policy may say something else.
        """
        query = wire[2:]
        name, shape, domain, key = measure(query)
        end = HEADER + len(name)
        # What does not fit is left out of a reply, so this much must fit beside the longest name.
        longest = len(reply) - len(name) + MAX_NAME
        if not name or longest > PLAIN_LIMIT or not policy.is_of_spot(verdict):
            return
        if not is_read_alike(wire[end + TYPE_AND_CLASS :]):
            return
        spot = policy.spot(name, key, scope)
        if spot is None or self.may_be_local(domain):
            return
        if len(table.pieces) >= MAX_PIECES:
            table.forget_pieces()
        form = form_of(query, name)
        qtype = int.from_bytes(wire[end : end + 2], "big")
        self.learned += 1
        table.forms.add(form)
        table.pieces[form, spot, shape] = Pieces(
            reply, end, verdict, qtype, ttl=ttl, until=ends - ttl, is_recorded=is_recorded
        )

    def may_be_local(self, domain: bytes) -> bool:
        """Return whether names with these last two labels may be answered before policy is asked."""
        if self._is_off:
            return True
        end = domain[domain[0] + 1 :]
        return end in self._ends and (domain in self._local or end in self._local)


def is_read_alike(records: bytes) -> bool:
    """Return whether what follows a question is read the same way behind each name: nothing, or an OPT record.

    The owner of another record may point into the name, where behind one name a label begins, and behind the next not.
    """
    if not records:
        return True
    return records[:3] == _OPT and len(records) == _OPT_SIZE + int.from_bytes(records[9:_OPT_SIZE])


def _last_two(name: bytes) -> bytes:
    """Return the last two labels of a name, or what it has."""
    return list(parents_of(name))[-3:][0]


def form_of(query: bytes, name: bytes) -> bytes:
    """Return a query without its id and its name: flags, counts, type, class, OPT.

    Queries of equal form ask in the same way, each for its own name.

    Args:
        query: its octets after the id.
        name: in the question, of any letter case.
    """
    return query[:_NAME] + query[_NAME + len(name) :]


def measure(query: bytes) -> Measured:
    """Walk through the name in the question, once.

    Args:
        query: its octets after the id.

    Returns:
        The name, folded, empty where it is malformed; its shape; its last two labels, or what it has; its key, as
        `reversed_key` gives it. The shape is all that a denial depends on: it points to the zone, which is behind the
        first label, or is the name itself where that has fewer than three.
    """
    folded = query.lower()  # the length of a label is below the letters
    key = b""
    at = last = before = _NAME
    labels = 0
    try:
        while length := folded[at]:
            if length > MAX_LABEL:
                return _MALFORMED
            before, last = last, at
            at += length + 1
            key = folded[last:at] + key
            labels += 1
    except IndexError:
        return _MALFORMED
    if at >= _NAME + MAX_NAME:
        return _MALFORMED
    end = at + 1
    return folded[_NAME:end], folded[_NAME] if labels >= _LABELS_BELOW_ZONE else 0, folded[before:end], key
