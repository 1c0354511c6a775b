"""A second, slow reading of `docs/precedence.md`: no index, no memo, nothing of the engine; all as text."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sinkhole.policy.bypass import Bypass
from sinkhole.policy.image import FeedRules
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import SubjectKind
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Vendor
from sinkhole.policy.verdict import Action

KINDS = (
    SubjectKind.DOMAIN, SubjectKind.PRODUCT, SubjectKind.VENDOR, SubjectKind.MODELS, SubjectKind.CATEGORY,
    SubjectKind.JURISDICTION, SubjectKind.BYPASS, SubjectKind.FEED, SubjectKind.AI,
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """All that a verdict depends on besides the query."""

    vendors: Sequence[Vendor]
    ways: Sequence[Bypass]
    protected: Sequence[str]
    feeds: Sequence[FeedRules]
    groups: Sequence[Group]
    statements: Sequence[Statement]
    overrides: Sequence[Override] = ()


@dataclass(frozen=True)
class Entry:
    """A domain that matches, and the subjects that follow from it."""

    domain: CatalogueDomain
    subjects: frozenset[str]

    @property
    def specificity(self) -> tuple[int, int]:
        """More labels first; of equally many, the name itself before a pattern before a whole domain."""
        order = (DomainMatch.SUFFIX, DomainMatch.WILDCARD, DomainMatch.EXACT)
        return len(self.domain.name.split(".")), order.index(self.domain.match)


def decide(world: World, name: str, client: str, when: datetime) -> tuple[Action, set[int], str | None]:
    """Return the action for a name, the numbers of the statements that may be named for it, and the override."""
    action, numbers = ordinary(world, name, client, when)
    found = [one for one in acting(world, name, client, when) if counts(world, one, action, numbers)]
    if not found:
        return action, numbers, None
    first = min(found, key=lambda one: (strength(one), -one.ends.timestamp(), one.kind, one.id))
    return Action.BLOCK if first.kind is OverrideKind.LOCKDOWN else Action.MONITOR, set(), f"{first.kind}:{first.id}"


def acting(world: World, name: str, client: str, when: datetime) -> list[Override]:
    """Return the overrides that hold for a client and reach a name."""
    places = places_of(world.groups, client)
    reach = subjects_of(world, name, places, when)
    return [
        one
        for one in world.overrides
        if (one.client is None or ipaddress.ip_address(one.client) == ipaddress.ip_address(client))
        and (one.group is None or one.group in places)
        and (one.begins is None or one.begins <= when) and when < one.ends
        and (not one.subjects or {str(subject) for subject in one.subjects} & reach)
    ]  # fmt: skip


def counts(world: World, one: Override, action: Action, numbers: set[int]) -> bool:
    """Return whether an override that reaches a name has something to change."""
    if one.kind is OverrideKind.LOCKDOWN:
        return True
    if one.kind is OverrideKind.GRANT:
        named = [s.subject for s in world.statements if s.id == min(numbers, default=0)]
        return action is Action.COACH and named[0] in one.subjects
    return action in (Action.COACH, Action.BLOCK)


def strength(one: Override) -> int:
    """Return the place of an override among the kinds."""
    return ("lockdown", "exception grant", "pause").index(
        "exception grant" if one.kind in (OverrideKind.EXCEPTION, OverrideKind.GRANT) else one.kind.value
    )


def ordinary(world: World, name: str, client: str, when: datetime) -> tuple[Action, set[int]]:
    """Return what the statements say, and the numbers of those that may be named for it: none, or equals."""
    places = places_of(world.groups, client)
    reach = subjects_of(world, name, places, when)
    standing = [s for s in world.statements if s.group is None or s.group in places]
    for kind in KINDS:
        known = [s for s in standing if s.subject.kind is kind and str(s.subject) in reach and s.holds(when)]
        if kind is SubjectKind.DOMAIN and known:
            longest = max(len(s.subject.value.split(".")) for s in known)
            known = [s for s in known if len(s.subject.value.split(".")) == longest]
        if known:
            nearest = min(place_of(s, places) for s in known)
            known = [s for s in known if place_of(s, places) == nearest]
            action = max(s.action for s in known)
            return action, {s.id for s in known if s.action is action}
    return Action.ALLOW, set()


def places_of(groups: Sequence[Group], client: str) -> dict[str, tuple[int, int]]:
    """Return the groups of a client, each with its place: host bits of the narrowest network, then the order."""
    address = ipaddress.ip_address(client)
    places = {}
    for group in groups:
        networks = [ipaddress.ip_network(member) for member in group.members]
        hosts = [n.max_prefixlen - n.prefixlen for n in networks if address in n]
        if hosts:
            places[group.name] = (min(hosts), group.order)
    return places


def place_of(statement: Statement, places: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Return how near a scope is: groups by their place, all comes last."""
    return (999, 0) if statement.group is None else places[statement.group]


def subjects_of(world: World, name: str, places: dict[str, tuple[int, int]], when: datetime) -> set[str]:
    """Return all subjects that reach a name."""
    labels = name.split(".")
    reach = {"domain:" + ".".join(labels[n:]) for n in range(len(labels))}
    never = {*world.protected, *(one for vendor in world.vendors for one in vendor.never_block)}
    is_protected = name in never
    entries = entries_of(world, name)
    if is_protected:
        entries = [entry for entry in entries if entry.domain.match is DomainMatch.EXACT]
    best = max((entry.specificity for entry in entries), default=None)
    for entry in entries:
        if entry.specificity == best:
            reach |= entry.subjects
    return reach if is_protected else reach | listed(world, name, places, when)


def entries_of(world: World, name: str) -> list[Entry]:
    """Return the domains of the catalogue that match a name."""
    found = []
    for vendor in world.vendors:
        for product in vendor.products:
            for domain in product.domains:
                subjects = {f"product:{product.id}"}
                if not domain.opt_in:
                    subjects |= {f"vendor:{vendor.id}", f"jurisdiction:{vendor.jurisdiction.value}"}
                    subjects |= {f"models:{one}" for one in (vendor.id, *product.serves)}
                    subjects |= {f"category:{one}" for one in product.categories}
                    subjects |= {f"bypass:{w.id}" for w in world.ways if set(w.categories) & set(product.categories)}
                    is_outside = vendor.not_default if product.not_default is None else product.not_default
                    subjects |= set() if is_outside else {"ai"}
                found.append(Entry(domain, frozenset(subjects)))
    for way in world.ways:
        for domain in way.domains:
            subjects = set() if domain.opt_in else {f"bypass:{way.id}"} | ({"ai"} if way.part_of_ai else set())
            found.append(Entry(domain, frozenset(subjects)))
    return [entry for entry in found if is_hit(entry.domain, name)]


def is_hit(domain: CatalogueDomain, name: str) -> bool:
    """Return whether a domain of the catalogue matches a name."""
    if domain.match is DomainMatch.EXACT:
        return name == domain.name
    if domain.match is DomainMatch.SUFFIX:
        return name == domain.name or name.endswith("." + domain.name)
    wanted, labels = domain.name.split("."), name.split(".")
    return len(wanted) == len(labels) and all(w in ("*", label) for w, label in zip(wanted, labels, strict=True))


def listed(world: World, name: str, places: dict[str, tuple[int, int]], when: datetime) -> set[str]:
    """Return the subjects that lists bring to a name."""
    reach: set[str] = set()
    for one in world.feeds:
        says = says_of(list(one.rules), name)
        if says is RuleAction.ALLOW and one.feed.local and is_in_force(world, one, places, when):
            return set()
        if says is RuleAction.BLOCK:
            reach |= {f"feed:{one.feed.name}"} | ({"ai"} if one.feed.part_of_ai else set())
    return reach


def says_of(rules: Sequence[Rule], name: str) -> RuleAction | None:
    """Return what one list says: `@@$important`, then `$important`, then `@@`, then the rest."""
    matching = [rule for rule in rules if is_row_hit(rule, name)]
    for is_important in (True, False):
        for action in (RuleAction.ALLOW, RuleAction.BLOCK):
            if any(rule.important is is_important and rule.action is action for rule in matching):
                return action
    return None


def is_row_hit(rule: Rule, name: str) -> bool:
    """Return whether a row of a list matches a name."""
    is_below = name.endswith("." + rule.name)
    return {Match.EXACT: name == rule.name, Match.BELOW: is_below}.get(rule.match, is_below or name == rule.name)


def is_in_force(world: World, one: FeedRules, places: dict[str, tuple[int, int]], when: datetime) -> bool:
    """Return whether what stands on a list, or else on `ai` where it is part of that, puts its exceptions in force."""
    for subject in (f"feed:{one.feed.name}", *(["ai"] if one.feed.part_of_ai else [])):
        standing = [
            s for s in world.statements
            if str(s.subject) == subject and (s.group is None or s.group in places) and s.holds(when)
        ]  # fmt: skip
        if standing:
            return max(standing, key=lambda s: ([-n for n in place_of(s, places)], s.action)).action is not Action.ALLOW
    return False
