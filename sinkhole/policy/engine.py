"""The policy: what happens to a name, a name in an answer, or an address in an answer, and why.

Precedence: more specific subject (domain, the longer the better > product > vendor > models > category > jurisdiction >
bypass > feed > ai > lookalikes) > more specific scope (the more specific member by which a client is in a group, then
the order of groups, then all) > block over monitor over allow. The order in which statements and rows were written
never matters, nor whether one has a schedule: while it holds, it is a statement like any other.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import datetime

from sinkhole.policy.entry import CatalogueEntry
from sinkhole.policy.evidence import Asked, Evidence
from sinkhole.policy.explain import losers_of
from sinkhole.policy.groups import ClientGroups, Membership, Scope, parse_client
from sinkhole.policy.identity import Identity
from sinkhole.policy.image import Found, NameIndex
from sinkhole.policy.lookalikes import Imitation
from sinkhole.policy.matches import Chosen, Level, Matches
from sinkhole.policy.member import MemberKind
from sinkhole.policy.standing import Standings, Statements
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.verdict import NO_MATCH, Action, BlockAnswer, Verdict
from sinkhole.protocol.names import fold, name_to_text, parents_of


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
    ) -> None:
        self.index = index
        self.generation = generation
        self._answer = answer
        self._answers = {group.name: group.answer for group in groups if group.answer is not None}
        self._groups = ClientGroups(groups)
        self._statements = Statements(statements)
        self._nothing = {group.name: Verdict(Action.ALLOW, group=group.name) for group in groups}

    def next_change(self, when: datetime) -> datetime | None:
        """Return when verdicts given at `when` may stop being right, by an expiry or a schedule; None for never."""
        return self._statements.next_edge(when)

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
        if not self.index.by_client:
            return scope
        client = parse_client(address)
        return replace(scope, client=None if client is None else str(client))

    def scope_of_group(self, name: str) -> Scope | None:
        """Return the scope of a client that is in this group and in no other; None where there is no such group."""
        return Scope((name,), (0,)) if name in self._nothing else None

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
    ) -> Verdict:
        """Decide a query.

        Args:
            qname: wire form, in any letter case, with any octets.
            when: aware time; statements that have expired by then, or whose schedule does not hold, do not count.
            client: address for rows limited to clients; None takes that of the scope.
            explain: fill in `losers`, which costs more.
        """
        name = fold(qname)
        found = self.index.find(name)
        standings = self._statements.of(scope)
        zones = _zones(name, standings)
        imitation = self._imitation(name, found, standings)
        if found is None and not zones and imitation is None:
            return self._no_match(scope)
        asked = Asked(name, qtype, scope.client if client is None else client, when)
        matches = Matches(asked, zones, found, standings, self.index.feeds, imitation)
        chosen = _choose(matches.levels(), standings, when)
        verdict = self._verdict(chosen, matches.entries, scope)
        return replace(verdict, losers=tuple(losers_of(matches, standings, chosen, when))) if explain else verdict

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
        if chosen is None:
            return self._no_match(scope)
        return replace(self._verdict(chosen, matches.entries, scope), via=name_to_text(target))

    def decide_address(self, address: str, scope: Scope, when: datetime) -> Verdict:
        """Decide an address in an answer (A, AAAA, hints), by statements on addresses; the longest prefix wins."""
        standings = self._statements.of(scope)
        parsed = parse_client(address) if standings.networks else None
        if parsed is None:
            return self._no_match(scope)
        keys: list[Level] = [
            [((version, bits, int(parsed) >> bits), Evidence(str(parsed)))]
            for version, bits in standings.networks
            if version == parsed.version
        ]
        chosen = _choose(keys, standings, when)
        return replace(self._verdict(chosen, (), scope), via=str(parsed)) if chosen else self._no_match(scope)

    def _imitation(self, name: bytes, found: Found | None, standings: Standings) -> Imitation | None:
        """Return whom a name imitates that the catalogue does not know, where a statement asks."""
        if "lookalikes" not in standings.by_key or (found is not None and (found.entries or found.is_protected)):
            return None
        return self.index.lookalikes.find_open(name)

    def _no_match(self, scope: Scope) -> Verdict:
        return self._nothing.get(scope.groups[0], NO_MATCH) if scope.groups else NO_MATCH

    def _verdict(self, chosen: Chosen | None, entries: Sequence[CatalogueEntry], scope: Scope) -> Verdict:
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
