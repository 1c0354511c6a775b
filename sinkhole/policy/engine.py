"""The policy: what happens to a name, a name in an answer, or an address in an answer, and why.

Precedence: more specific subject (domain, the longer the better > product > vendor > models > category > jurisdiction >
bypass > feed > ai > lookalikes > unreviewed) > more specific scope (the more specific member by which a client is in a
group, then the order of groups, then all) > block over coach over monitor over allow. The order in which statements and
rows were written never matters, nor whether one has a schedule: while it holds, it is a statement like any other.

What all statements together say may be overruled for a time (`policy.override`): by a lockdown, an exception, a
grant or a pause.
"""

from collections.abc import Hashable, Iterable, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import Final

from sinkhole.policy.entry import CatalogueEntry
from sinkhole.policy.evidence import Asked, Evidence, judge_networks
from sinkhole.policy.explain import losers_of
from sinkhole.policy.groups import ClientGroups, Membership, Scope, parse_client
from sinkhole.policy.identity import Identity
from sinkhole.policy.image import Found, NameIndex
from sinkhole.policy.key import wire_from_text
from sinkhole.policy.lookalikes import Imitation
from sinkhole.policy.matches import Chosen, Level, Matches
from sinkhole.policy.member import MemberKind
from sinkhole.policy.override import Override
from sinkhole.policy.overruling import overrule
from sinkhole.policy.reviews import NO_REVIEWS, Reviews
from sinkhole.policy.standing import Standings, Statements
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.verdict import NO_MATCH, Action, BlockAnswer, Verdict
from sinkhole.protocol.names import fold, name_to_text, parents_of
from sinkhole.protocol.types import QType

_ABOUT_LOOKS: Final = frozenset(("lookalikes", "unreviewed"))
"""Subjects whose names are not listed anywhere."""
_MAX_VERDICTS: Final = 20_000
"""Verdicts kept for domains of the catalogue, about 10 MB."""


class Policy:
    """One generation of policy; nothing about it ever changes.

    Raises:
        PolicyError: a statement or group is wrong.
    """

    def __init__(
        self,
        index: NameIndex,
        statements: Sequence[Statement],
        groups: Sequence[Group],
        answer: BlockAnswer,
        generation: int,
        *,
        overrides: Sequence[Override] = (),
        suffixes: Sequence[str] = (),
        reviews: Reviews = NO_REVIEWS,
    ) -> None:
        self.index = index
        self.generation = generation
        self._reviews = reviews
        self._answer = answer
        self._answers = {group.name: group.answer.with_page_of(answer) for group in groups if group.answer is not None}
        self._groups = ClientGroups(groups)
        self._statements = Statements(statements, overrides)
        self._overrides = {override.name: override for override in overrides}
        self._nothing = {group.name: Verdict(Action.ALLOW, group=group.name) for group in groups}
        self._own = frozenset(map(wire_from_text, suffixes))
        self._has_networks = len(index.networks) > 0
        self._memo: dict[tuple[int, int], tuple[Chosen, Verdict]] = {}

    def next_change(self, when: datetime) -> datetime | None:
        """Return when verdicts given at `when` may stop being right; None for never."""
        return self._statements.next_edge(when)

    def next_shared_change(self, when: datetime) -> datetime | None:
        """Return when those given to clients without an override of their own may stop being right."""
        return self._statements.next_shared_edge(when)

    def next_own_change(self, scope: Scope, when: datetime) -> datetime | None:
        """Return when an override that the client of a scope has of its own begins or ends; None where it has none."""
        return self._statements.next_own_edge(scope.client, when)

    @property
    def knows_identities(self) -> bool:
        """Whether a group has members that are no addresses or networks."""
        return self._groups.has_identities

    @property
    def member_kinds(self) -> Set[MemberKind]:
        """By what clients are recognised: of what no member is about nothing need be known."""
        return self._groups.kinds

    def memberships(self, address: str, identity: Identity | None = None) -> Sequence[Membership]:
        """Return every member of every group that a client is, the stronger first."""
        return self._groups.memberships(address, identity)

    def scope_of(self, address: str, identity: Identity | None = None) -> Scope:
        """Return the scope of a client; an address that cannot be read is in no network.

        Args:
            identity: who is at the address, None where that is not known.
        """
        scope = self._groups.scope_of(address, identity)
        if not self.index.by_client and not self._statements.own:
            return scope
        parsed = parse_client(address)
        client = None if parsed is None else str(parsed)
        return replace(scope, client=client) if self.index.by_client or client in self._statements.own else scope

    def scope_of_group(self, name: str) -> Scope | None:
        """Return the scope of a client that is in this group and in no other; None where there is no such group."""
        return Scope((name,), (0,)) if name in self._nothing else None

    def override(self, name: str) -> Override | None:
        """Return the override that a verdict names."""
        return self._overrides.get(name)

    def answer_for(self, scope: Scope) -> BlockAnswer:
        """Return how blocked names are answered: as the most specific group that says so, else as the server does."""
        for group in scope.groups:
            if group in self._answers:
                return self._answers[group]
        return self._answer

    def decide(
        self,
        qname: bytes,
        qtype: int,
        scope: Scope,
        when: datetime,
        *,
        client: str | None = None,
        explain: bool = False,
        key: bytes | None = None,
    ) -> Verdict:
        """Decide a query.

        Args:
            qname: wire form, in any letter case, with any octets.
            when: aware time; statements that have expired by then, or whose schedule does not hold, do not count.
            client: address for rows limited to clients; None takes that of the scope.
            explain: fill in `losers`, which costs more.
            key: of the name (`reversed_key`), where it is known; the name is folded then.
        """
        name = fold(qname) if key is None else qname
        standings = self._statements.of(scope)
        zones = _zones(name, standings)
        if not zones and self.index.is_ordinary(name, key) and not self._is_reviewed(name, standings):
            return self._no_match(scope)
        found = self.index.find(name, key)
        imitation = self._imitation(name, found, standings)
        unreviewed = self._unreviewed(name) if standings.unreviewed and found is None else None
        if found is None and not zones and imitation is None and unreviewed is None:
            return self._no_match(scope)
        asked = Asked(name, qtype, scope.client if client is None else client, when)
        matches = Matches(asked, zones, found, standings, self.index.feeds, imitation, unreviewed)
        chosen = _choose(matches.levels(), standings, when)
        verdict = self._verdict(chosen, matches.entries, scope)
        if explain:
            verdict = replace(verdict, losers=tuple(losers_of(matches, standings, chosen, when)))
        if standings.overrides is None:
            return verdict
        return overrule(verdict, matches.levels(), standings.overrides, when, explain=explain)

    def spot(self, name: bytes, key: bytes, scope: Scope) -> Hashable | None:
        """Return what a verdict of a list or the catalogue on a folded name depends on, beside scope and time.

        Names of one spot get the same verdict if that is one that `is_of_spot`, but for the row and line that it names.
        None where more than that decides: expressions, types, clients, overrides that are about what a name looks like.
        `key` is that of the name (`reversed_key`).
        """
        standings = self._statements.of(scope)
        overrides = standings.overrides
        if overrides is not None and not _ABOUT_LOOKS.isdisjoint(overrides.by_key):
            return None
        spot = self.index.spot(name, key)
        if spot is None:
            return None
        zones = _zones(name, standings)
        return (spot, *zones) if zones else spot

    @staticmethod
    def is_of_spot(verdict: Verdict) -> bool:
        """Return whether a verdict is about where the name stands, and not about what it looks like or leads to."""
        return verdict.subject not in _ABOUT_LOOKS and verdict.via is None

    def decide_target(self, name: bytes, qtype: int, scope: Scope, when: datetime) -> Verdict:
        """Decide a name in an answer (CNAME, DNAME, SVCB target): by statements on domains and the catalogue alone.

        Rows of lists never count here: a list that names a shared CDN would take out all that is served by it.
        """
        target = fold(name)
        found = self.index.find(target)
        standings = self._statements.of(scope)
        zones = _zones(target, standings)
        if found is None and not zones:
            return self._no_match(scope)
        named = None if found is None else found._replace(rows={})
        matches = Matches(Asked(target, qtype, None, when), zones, named, standings, self.index.feeds)
        chosen = _choose(matches.levels(), standings, when)
        verdict = self._no_match(scope) if chosen is None else self._verdict(chosen, matches.entries, scope)
        if standings.overrides is not None:
            verdict = overrule(verdict, matches.levels(), standings.overrides, when, explain=False)
        return verdict if verdict.subject is None else replace(verdict, via=name_to_text(target))

    def judges_addresses(self, scope: Scope) -> bool:
        """Return whether `decide_address` can say anything at all to a client of this scope."""
        return self._has_networks or bool(self._statements.of(scope).networks)

    def decide_address(
        self, address: str, scope: Scope, when: datetime, names: Sequence[bytes] = (), qtype: int = QType.A
    ) -> Verdict:
        """Decide an address in an answer (A, AAAA, hints): by statements on addresses, and then by rows of lists.

        Of either the longest prefix wins.

        Args:
            names: what was asked for, wire form: a list that lets it through says nothing about its addresses.
            qtype: the type that was asked for.
        """
        standings = self._statements.of(scope)
        parsed = parse_client(address) if standings.networks or self._has_networks else None
        if parsed is None:
            return self._no_match(scope)
        keys: list[Level] = [
            [((version, bits, int(parsed) >> bits), Evidence(str(parsed)))]
            for version, bits in standings.networks
            if version == parsed.version
        ]
        if self._has_networks and (rules := self.index.networks.find(parsed)):
            asked = [Asked(fold(name), qtype, scope.client, when) for name in names]
            known = [(one, self.index.find(one.name)) for one in asked]
            listed = judge_networks(rules, known, standings, self.index.feeds, when)
            keys.append([(evidence.subject, evidence) for evidence in listed])
            keys.append([("ai", evidence) for evidence in listed if evidence.is_ai])
        chosen = _choose(keys, standings, when)
        verdict = self._no_match(scope) if chosen is None else self._verdict(chosen, (), scope)
        if standings.overrides is not None:
            verdict = overrule(verdict, keys, standings.overrides, when, explain=False)
        return verdict if verdict.subject is None else replace(verdict, via=str(parsed))

    def lift(self, verdict: Verdict, qname: bytes, qtype: int, scope: Scope, when: datetime) -> Verdict:
        """Return the verdict on what an answer leads to, lifted where an exception or pause reaches the name asked for.

        Args:
            verdict: that on the answer.
            qname: the name that the client asked for, in wire form.
        """
        standings = self._statements.of(scope)
        if standings.overrides is None or not verdict.is_blocked or verdict.is_locked_down:
            return verdict
        name = fold(qname)
        found = self.index.find(name)
        asked = Asked(name, qtype, scope.client, when)
        imitation = self._imitation(name, found, standings)
        unreviewed = self._unreviewed(name) if standings.unreviewed and found is None else None
        matches = Matches(asked, _zones(name, standings), found, standings, self.index.feeds, imitation, unreviewed)
        return overrule(verdict, matches.levels(), standings.overrides, when, explain=False)

    def is_own(self, name: bytes) -> bool:
        """Return whether a folded name is one of the network's own: at or below a search suffix or a zone of its own.

        `chat.openai.com.corp.example` is what a stub makes of a name that it was not answered: nobody's attempt, and
        no imitation.
        """
        return bool(self._own) and any(parent in self._own for parent in parents_of(name))

    def _imitation(self, name: bytes, found: Found | None, standings: Standings) -> Imitation | None:
        """Return whom a name imitates that the catalogue does not know, where a statement asks."""
        if "lookalikes" not in standings.by_key or (found is not None and (found.entries or found.is_protected)):
            return None
        imitation = self.index.lookalikes.find_open(name)
        return None if imitation is None or self.is_own(name) else imitation

    def _is_reviewed(self, name: bytes, standings: Standings) -> bool:
        """Return whether a review says something about a name, where a statement asks; whatever the name looks like."""
        return bool(standings.unreviewed) and self._reviews.find(name) is not None

    def _unreviewed(self, name: bytes) -> str | None:
        """Return why a name that no rule knows waits for someone to look at it, in words; None where it does not."""
        reviewed = self._reviews.find(name)
        if reviewed is not None:
            domain, is_waiting = reviewed
            return f"{name_to_text(domain)} and below, which waits for review" if is_waiting else None
        suspect = self.index.signs.find(name)
        return None if suspect is None else str(suspect)

    def _no_match(self, scope: Scope) -> Verdict:
        return self._nothing.get(scope.groups[0], NO_MATCH) if scope.groups else NO_MATCH

    def _verdict(self, chosen: Chosen | None, entries: Sequence[CatalogueEntry], scope: Scope) -> Verdict:
        if chosen is None or chosen[1].entry is None:
            return self._new_verdict(chosen, entries, scope)
        # All names of a domain get the same verdict. The memo holds what its keys are the ids of, so none comes again.
        key = (id(chosen[0]), id(chosen[1].entry))
        known = self._memo.get(key)
        if known is None:
            if len(self._memo) >= _MAX_VERDICTS:
                self._memo.clear()
            known = self._memo[key] = (chosen, self._new_verdict(chosen, entries, scope))
        return known[1]

    def _new_verdict(self, chosen: Chosen | None, entries: Sequence[CatalogueEntry], scope: Scope) -> Verdict:
        standing, evidence = chosen or (None, None)
        statement = standing.statement if standing else None
        entry = (evidence and evidence.entry) or (entries[0] if entries else None)
        outcome = evidence.outcome if evidence else None
        return Verdict(
            action=statement.action if statement else Action.ALLOW,
            subject=standing.subject if standing else None,
            scope=standing.scope if standing else None,
            statement=statement.id if statement else None,
            rule=evidence.rule if evidence else entry.text if entry else None,
            vendor=(entry.vendor or None) if entry else None,
            product=(entry.product or None) if entry else None,
            categories=entry.categories if entry else (),
            jurisdiction=(entry.jurisdiction or None) if entry else None,
            feed=evidence.feed.name if evidence and evidence.feed else None,
            line=outcome.rule.line if outcome else None,
            group=scope.groups[0] if scope.groups else None,
            reason=statement.reason if statement else None,
            basis=statement.basis if statement else None,
            until=statement.expires if statement else None,
            rewrite=outcome.rewrite if outcome and statement and statement.action is Action.BLOCK else (),
        )


def _zones(name: bytes, standings: Standings) -> Sequence[bytes]:
    """Return the domains of statements that a name is at or below, the longest first."""
    return [zone for zone in parents_of(name) if zone in standings.by_key] if standings.domains else ()


def _choose(levels: Iterable[Level], standings: Standings, when: datetime) -> Chosen | None:
    """Return the strongest statement that holds at the most specific level that has one."""
    by_key = standings.by_key
    for level in levels:
        best: Chosen | None = None
        for key, evidence in level:
            for standing in by_key.get(key, ()):
                if standing.holds(when):
                    if best is None or standing.rank < best[0].rank:
                        best = (standing, evidence)
                    break
        if best is not None:
            return best
    return None
