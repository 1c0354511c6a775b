"""Count answers for names that look like AI and that no rule knows, in memory and bounded.

A name and type is judged once, then remembered: it costs a look-up. What the packet cache answers is not seen, so a
count is of answers that were made anew; it tells how much a name is used, not how often.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Final

from sinkhole.errors import FormError
from sinkhole.policy.engine import Policy
from sinkhole.policy.place import registered_label
from sinkhole.policy.sighting import Sighting
from sinkhole.policy.signs import Suspect, is_host
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold, labels_of, name_from_text, name_to_text, parents_of
from sinkhole.protocol.types import QType, Rcode
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.hits import CANARY
from sinkhole.resolver.inspection import names_in
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query

MAX_DOMAINS: Final = 2000
"""Domains counted between two handovers; of more, nothing is counted."""
MAX_JUDGED: Final = 5_000
"""Names remembered of each type, about 2 MB for all; then they are judged anew."""
MAX_EXAMPLES: Final = 3
MAX_CLIENTS: Final = 100
"""Clients of one domain between two handovers."""

_HOST_TYPES: Final = frozenset((QType.A, QType.AAAA, QType.HTTPS, QType.SVCB))
"""What is asked for in order to connect; mail servers and validators ask for more."""
_GUESSES: Final = frozenset((None, "lookalikes", "unreviewed"))
"""Subjects of verdicts on names of which nothing is known."""
_CANARY: Final = bytes((len(CANARY) - 1,)) + CANARY[:-1].encode()


class _Judged:
    """A name that looks like AI: the domain that is counted, why, and whether the name alone shows it."""

    __slots__ = ("domain", "is_by_name", "reasons")

    def __init__(self, domain: bytes, reasons: tuple[str, ...], *, is_by_name: bool) -> None:
        self.domain = domain
        self.reasons = reasons
        self.is_by_name = is_by_name


_NEW: Final = _Judged(b"", (), is_by_name=False)
"""Stands for what was not judged yet."""


class _Tally:
    """What is counted of one domain."""

    __slots__ = ("clients", "count", "examples", "first", "is_by_name", "last", "reasons")

    def __init__(self, second: int) -> None:
        self.count = 0
        self.first = self.last = second
        self.is_by_name = False
        self.reasons: dict[str, None] = {}
        self.examples: dict[bytes, None] = {}
        self.clients: dict[str, None] = {}


class Sightings:
    """Counts answers for names that look like AI.

    Args:
        box: where the policy in force is.
        own: names of this network, as text; they and all below them are never counted.
        clients: whether to keep who asked.
    """

    def __init__(
        self, box: PolicyBox, own: Iterable[str] = (), *, clients: bool = False, max_domains: int = MAX_DOMAINS
    ) -> None:
        self._box = box
        self._own = frozenset(fold(name_from_text(name)) for name in own)
        self._clients = clients
        self._max_domains = max_domains
        self._index = box.current.index
        self._judged: dict[int, dict[bytes, _Judged | None]] = {int(qtype): {} for qtype in _HOST_TYPES}
        self._tallies: dict[bytes, _Tally] = {}

    def __len__(self) -> int:
        return len(self._tallies)

    def look(self, query: Query, answer: Answer) -> None:
        """Count an answer, if it is one for a name that looks like AI and that no rule knows."""
        verdict = answer.verdict
        if verdict is None or query.question.qtype not in _HOST_TYPES or not _is_unknown(verdict, answer):
            return
        name, qtype = query.question.key, query.question.qtype
        self._see(name, qtype, answer.body.answer, verdict, query.client.address, query.when)

    def look_at(
        self, name: bytes, qtype: int, verdict: Verdict, client: str, when: datetime, records: tuple[Record, ...]
    ) -> None:
        """Count an answer for the folded name of a host, as `look` does; addresses may be left out of its records."""
        if _is_of_no_rule(verdict):
            self._see(name, qtype, records, verdict, client, when)

    def _see(
        self, name: bytes, qtype: int, records: tuple[Record, ...], verdict: Verdict, client: str, when: datetime
    ) -> None:
        policy = self._box.current
        if policy.index is not self._index:  # other names are known now
            self._index = policy.index
            for known in self._judged.values():
                known.clear()
        known = self._judged[qtype]
        judged = known.get(name, _NEW)
        if judged is _NEW:
            if not records and verdict.via is None and policy.index.is_ordinary(name):
                return
            if len(known) >= MAX_JUDGED:
                known.clear()
            judged = known[name] = _judge(policy, name, records, verdict, self._own)
        if judged is not None:
            self._count(judged, name, client, when)

    def drain(self, limit: int) -> list[Sighting]:
        """Take out and return at most `limit` domains, the oldest first."""
        domains = list(islice(self._tallies, limit))
        return [_row(domain, self._tallies.pop(domain)) for domain in domains]

    def _count(self, judged: _Judged, name: bytes, client: str, when: datetime) -> None:
        second = int(when.timestamp())
        tally = self._tallies.get(judged.domain)
        if tally is None:
            if len(self._tallies) >= self._max_domains:
                return
            tally = self._tallies[judged.domain] = _Tally(second)
        tally.count += 1
        tally.first = min(tally.first, second)
        tally.last = max(tally.last, second)
        tally.is_by_name = tally.is_by_name or judged.is_by_name
        tally.reasons.update(dict.fromkeys(judged.reasons))
        if len(tally.examples) < MAX_EXAMPLES:
            tally.examples[name] = None
        if self._clients and len(tally.clients) < MAX_CLIENTS:
            tally.clients[client] = None


def _is_unknown(verdict: Verdict, answer: Answer) -> bool:
    """Return whether no rule knows the name, though what its answer leads to may be known; and whether it exists.

    Whether a name exists that is blocked for being unreviewed nobody knows; it must be seen, or it never would be.
    """
    if not _is_of_no_rule(verdict):
        return False
    if answer.source is Source.BLOCKED:
        return verdict.subject == "unreviewed" or verdict.via is not None
    return answer.body.rcode == Rcode.NOERROR and bool(answer.body.answer)


def _is_of_no_rule(verdict: Verdict) -> bool:
    return verdict.via is not None or verdict.rule is None or verdict.subject in _GUESSES


def _judge(
    policy: Policy, name: bytes, records: tuple[Record, ...], verdict: Verdict, own: frozenset[bytes]
) -> _Judged | None:
    suspect = policy.index.signs.find(name)
    led_to = _led_to(policy, name, records, verdict)
    if suspect is None and led_to is None:
        return None
    if policy.index.find(name) is not None or name.startswith(_CANARY):
        return None
    labels = labels_of(name)
    if registered_label(labels) is None or any(parent in own for parent in parents_of(name)):
        return None
    if suspect is None and not is_host(labels):
        return None
    return _joined(name, suspect, led_to)


def _joined(name: bytes, suspect: Suspect | None, led_to: str | None) -> _Judged:
    reasons = (() if suspect is None else suspect.reasons) + (() if led_to is None else (led_to,))
    return _Judged(name if suspect is None else suspect.domain, reasons, is_by_name=suspect is not None)


def _led_to(policy: Policy, name: bytes, records: tuple[Record, ...], verdict: Verdict) -> str | None:
    """Return in words to which AI host of the catalogue an answer leads, None where to none."""
    if verdict.via is not None:  # a blocked answer does not show it any more
        return f"its answer leads to {verdict.via} of {verdict.vendor}" if verdict.vendor else None
    if not records:
        return None
    try:
        targets = list(names_in(records, name))
    except FormError:
        return None
    for target in targets:
        found = policy.index.find(target)
        for entry in found.entries if found is not None else ():
            if entry.product and entry.is_default:
                return f"its answer leads to {name_to_text(target)} of {entry.vendor}"
    return None


def _row(domain: bytes, tally: _Tally) -> Sighting:
    return Sighting(
        domain=name_to_text(domain), reasons=tuple(tally.reasons), count=tally.count, first=tally.first,
        last=tally.last, examples=tuple(map(name_to_text, tally.examples)), is_by_name=tally.is_by_name,
        clients=tuple(tally.clients),
    )  # fmt: skip
