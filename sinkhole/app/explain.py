"""Explain what would be answered for a name, by the very function that the query path calls."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sinkhole.app.who_is_it import groups_in_words
from sinkhole.errors import FormError
from sinkhole.policy.address import client_address
from sinkhole.policy.engine import Policy
from sinkhole.policy.identity import Identity
from sinkhole.policy.override import Override
from sinkhole.policy.verdict import BlockAnswer, BlockMode, Loser, Verdict
from sinkhole.protocol.names import name_from_text, name_to_text
from sinkhole.protocol.types import QType, qtype_from_text, qtype_to_text
from sinkhole.resolver.canaries import CANARIES
from sinkhole.resolver.canaries import TTL as CANARY_TTL

Follow = Callable[[Policy, str, str, str, datetime], Verdict | None]
"""Judges what the answer of a name leads to, for (policy, name, type, client, time); None where it could not."""
_NOT_FOLLOWED = "judged by its name alone; a name that its answer leads to may be blocked"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict and what it rests on."""

    name: str
    qtype: str
    client: str
    groups: tuple[str, ...]
    generation: int
    verdict: Verdict
    answer: str
    note: str | None = None
    override: Override | None = None
    members: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """One word: BLOCK, COACH, MONITOR, ALLOW (by a statement), or NONE where nothing matched."""
        if self.verdict.subject is None:
            return "NONE"
        return str(self.verdict.action).upper()

    def to_json(self) -> dict[str, Any]:
        """Return it as values for JSON."""
        verdict = asdict(self.verdict) | {"action": str(self.verdict.action)}
        verdict["losers"] = [asdict(loser) | {"action": str(loser.action)} for loser in self.verdict.losers]
        return {
            "name": self.name, "type": self.qtype, "client": self.client, "groups": self.groups,
            "generation": self.generation, "outcome": self.outcome, "answer": self.answer, "note": self.note,
            "members": self.members, "verdict": verdict, "override": self._override_to_json(),
        }  # fmt: skip

    def _override_to_json(self) -> dict[str, Any] | None:
        override = self.override
        if override is None:
            return None
        return {
            "name": override.name, "subjects": [str(subject) for subject in override.subjects],
            "scope": override.scope, "until": override.ends, "reason": override.reason, "owner": override.owner,
        }  # fmt: skip


def explain(
    policy: Policy,
    name: str,
    qtype: str,
    client: str,
    when: datetime,
    follow: Follow | None = None,
    identity: Identity | None = None,
) -> Explanation:
    """Explain one question of one client.

    Args:
        follow: judges what the answer of a name leads to; None: the name is judged by itself alone.
        identity: who the client is beside its address.

    Raises:
        FormError: the name or the type cannot be read.
        PolicyError: the client's address cannot be read.
    """
    client_address(client)
    wire = name_from_text(_host(name))
    number = qtype_from_text(qtype)
    scope = policy.scope_of(client, identity)
    verdict = policy.decide(wire, number, scope, when, client=client, explain=True)
    note = None
    if not verdict.is_blocked or wire in CANARIES:  # canaries are answered before policy is asked
        led_to = follow(policy, name, qtype, client, when) if follow else None
        note = _NOT_FOLLOWED if led_to is None and not verdict.is_blocked else None
        if led_to is not None and (led_to.is_blocked or led_to.override is not None):
            verdict = led_to
    is_denied = wire in CANARIES and bool(verdict.rewrite)
    how = policy.answer_for(scope)
    answer = _answer(replace(how, ttl=CANARY_TTL) if is_denied else how, verdict, number)
    override = None if verdict.override is None else policy.override(verdict.override)
    return Explanation(
        name_to_text(wire), qtype_to_text(number), client, scope.groups, policy.generation, verdict, answer, note,
        override, tuple(groups_in_words(policy, client, identity)),
    )  # fmt: skip


def _host(name: str) -> str:
    """Refuse what is pasted from an address bar: judged as a name, it would match nothing."""
    if not name.strip():
        raise FormError("wanted a name such as chat.example.org; found nothing")
    if any(sign in name for sign in "/@?#"):
        host = _host_of_url(name)
        hint = f"; try {host}" if host else ""
        raise FormError(f"wanted a name such as chat.example.org; found a URL: {name!r}{hint}")
    return name


def _host_of_url(text: str) -> str | None:
    try:
        return urlsplit(text if "//" in text else f"//{text}").hostname
    except ValueError:
        return None  # a bracket that is never closed


def _answer(answer: BlockAnswer, verdict: Verdict, qtype: int) -> str:
    if not verdict.is_blocked:
        return "the true answer"
    if verdict.rewrite:
        return f"{', '.join(verdict.rewrite)}, TTL {answer.ttl}"
    how = answer.to_page() if verdict.is_coached else answer
    said = _blocked(how, qtype, how.ede if verdict.basis is None else verdict.basis.ede)
    return f"{said}; why, to networks in blocking.explain_to" if qtype == QType.TXT else said


def _blocked(answer: BlockAnswer, qtype: int, ede: int) -> str:
    ends = f"TTL {answer.ttl}, EDE {ede}"
    match answer.mode:
        case BlockMode.NXDOMAIN:
            return f"NXDOMAIN, {ends}"
        case BlockMode.REFUSED:
            return f"REFUSED, EDE {ede}"
        case BlockMode.ADDRESS:
            address = {QType.A: answer.ipv4, QType.AAAA: answer.ipv6}.get(qtype)
            return f"{address}, {ends}" if address else f"no data, {ends}"
        case BlockMode.NODATA:
            return f"no data, {ends}"


def lines_of(explanation: Explanation) -> list[str]:
    """Return the explanation as lines for people; the last is the outcome alone."""
    verdict = explanation.verdict
    rows = [("answer", explanation.answer)]
    if verdict.override:
        rows.append(("decided by", _overruled(verdict, explanation.override)))
    elif verdict.subject:
        number = f", statement {verdict.statement}" if verdict.statement else ""
        rows.append(("decided by", f"{verdict.subject} {verdict.action} for {verdict.scope}{number}"))
    elif verdict.vendor:
        rows.append(("decided by", "no statement; it is in the catalogue"))
    else:
        rows.append(("decided by", "nothing matches"))
    if verdict.reason:
        rows.append(("reason", verdict.reason))
    if verdict.basis:
        rows.append(("basis", verdict.basis))
    if verdict.rule:
        rows.append(("rule", verdict.rule))
    if verdict.vendor:
        rows.append(("vendor", f"{verdict.vendor} ({verdict.jurisdiction})"))
    if verdict.product:
        rows.append(("product", f"{verdict.product} ({', '.join(verdict.categories)})"))
    if verdict.via:
        rows.append(("through", f"{verdict.via}, which its answer leads to"))
    if verdict.feed:
        rows.append(("feed", f"{verdict.feed}, line {verdict.line}"))
    rows.append(("client", f"{explanation.client} in {', '.join(explanation.members) or 'no group'}"))
    told = dict.fromkeys(f"{_lost(lost)}: {lost.why}" for lost in verdict.losers)  # two may differ by their hours alone
    rows.extend(("outranked", text) for text in told)
    rows.append(("policy", f"generation {explanation.generation}"))
    if explanation.note:
        rows.append(("note", explanation.note))
    head = f"{explanation.name} {explanation.qtype}"
    body = [f"  {label:<11} {text}" for label, text in rows]
    return [head, *body, explanation.outcome]


def _overruled(verdict: Verdict, override: Override | None) -> str:
    about = verdict.subject if override is None or override.subjects else "everything"
    until = f", until {override.ends.astimezone():%Y-%m-%d %H:%M}" if override is not None else ""
    owner = f", by {override.owner}" if override is not None and override.owner else ""
    return f"{verdict.override} on {about} for {verdict.scope}{until}{owner}"


def _lost(loser: Loser) -> str:
    """Say what was outranked: a statement, or (scope `none`) a row or an entry that no statement is about."""
    if loser.scope == "none":
        return f"{loser.rule} of {loser.subject}"
    return f"{loser.subject} {loser.action} for {loser.scope} ({loser.rule})"
