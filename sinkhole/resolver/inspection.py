"""Judge what an answer leads to: chain names, service targets, addresses and address hints.

A name that may be asked for is still blocked when it is only another name for a blocked one (CNAME cloaking), or
when its service record sends the client there (RFC 9460). These are judged by `decide_target` and `decide_address`,
which know no feed rows about names: a feed that lists a shared CDN name would take whole ecosystems down with it.
"""

from collections.abc import Iterator

from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold
from sinkhole.protocol.rdata import address_to_text, cname_target, svcb_parts
from sinkhole.protocol.types import QType
from sinkhole.resolver.query import Query

_ROOT = b"\x00"
_ALIASES = frozenset({QType.CNAME, QType.DNAME})
_SERVICES = frozenset({QType.SVCB, QType.HTTPS})
_ADDRESSES = frozenset({QType.A, QType.AAAA})


def judge_records(policy: Policy, records: tuple[Record, ...], query: Query, scope: Scope, verdict: Verdict) -> Verdict:
    """Return the verdict on an answer: `verdict`, that on its QNAME, unless something in `records` outweighs it.

    Raises:
        FormError: a service record cannot be read, so it cannot be said where it leads.
    """
    question, when, key = query.question, query.when, query.question.key
    if any(record.rtype not in _ADDRESSES for record in records):
        for name in names_in(records, key):
            verdict = weigh(verdict, policy.decide_target(name, question.qtype, scope, when))
    if not policy.judges_addresses(scope):
        return verdict
    # A list may let through what the client asked for, or the link of its chain that is being resolved.
    asked = (key,) if query.origin is None else (query.asked.key, key)
    for address in _addresses_in(records):
        verdict = weigh(verdict, policy.decide_address(address, scope, when, asked, question.qtype))
    return verdict


def weigh(asked: Verdict, target: Verdict) -> Verdict:
    """Return which of two verdicts holds: that on the name `asked`, or that on a `target` it leads to.

    The stricter action, unless the statement on the name asked has a more specific subject: who allows
    `domain:alias.example` wants it to work, whatever vendor is behind it. A lockdown is outweighed by nothing.
    """
    if target.action <= asked.action or target.subject is None:
        return asked
    if target.is_locked_down:
        return target
    if asked.subject is not None and _rank(asked.subject) > _rank(target.subject):
        return asked
    return target


def _rank(subject: str) -> float:
    kind = Subject.from_text(subject).kind
    # An address is as specific as a name, but the name was meant by itself: RPZ too lets a QNAME trigger win.
    return SubjectKind.DOMAIN - 0.5 if kind is SubjectKind.ADDRESS else float(kind)


def names_in(records: tuple[Record, ...], qname: bytes) -> Iterator[bytes]:
    """Yield the names that an answer leads to, each once, folded; may raise FormError for a service record."""
    seen = {qname, _ROOT}  # the root as a service target means the owner itself (RFC 9460, section 2.5)
    for record in records:
        names: tuple[bytes, ...] = ()
        if record.rtype in _ALIASES:
            names = (record.owner, cname_target(record))
        elif record.rtype in _SERVICES:
            names = (svcb_parts(record).target,)
        for name in map(fold, names):
            if name not in seen:
                seen.add(name)
                yield name


def _addresses_in(records: tuple[Record, ...]) -> Iterator[str]:
    for record in records:
        if record.rtype in _ADDRESSES:
            yield address_to_text(record.rdata)
        elif record.rtype in _SERVICES:
            parts = svcb_parts(record)
            yield from parts.ipv4hint
            yield from parts.ipv6hint
