"""The page of a vendor: who it is, what it offers, what policy says of it, who tried it, before and after a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sinkhole.app.client_names import client_store
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.kept import Keep
from sinkhole.app.policy_moves import PolicyMove, policy_moves
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.app.vendor_verdicts import ProductVerdict, subjects_on, verdicts_on
from sinkhole.blockpage.alternatives import Alternative, alternatives
from sinkhole.blockpage.facts import Facts, facts_of
from sinkhole.blockpage.ruling import Kind, Ruling
from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.staleness import is_stale
from sinkhole.evidence.trend import DAY
from sinkhole.policy.engine import Policy
from sinkhole.policy.entry import is_default
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.vendor import Training, Vendor
from sinkhole.store.evidence_counts import EvidenceCounts
from sinkhole.store.tried import Tried
from sinkhole.web.actor import Actor
from sinkhole.web.api.catalogue import VendorPlace
from sinkhole.web.pages.published import published_policy
from sinkhole.web.pages.route import View
from sinkhole.web.pages.span import SPANS, Spanned, spanned, times_of
from sinkhole.web.pages.trend import draw, trend_of
from sinkhole.web.problem import not_found

_FACTS: Keep[Facts] = Keep(1)
_MOST_CLIENTS = 20
_MOST_DAYS = 30
"""Days before and after a change that are compared."""
TRAINING = {
    Training.YES: "trains on what people type", Training.NO: "does not train on what people type",
    Training.OPT_OUT: "trains on what people type unless told not to",
    Training.UNSTATED: "does not say whether it trains on what people type",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """Attempts on equal numbers of whole days before and after a change; its own day is in neither."""

    move: PolicyMove
    days: int
    before: int
    after: int

    @property
    def change(self) -> int | None:
        """By how many per cent; None where there was nothing before."""
        return round(100 * (self.after - self.before) / self.before) if self.before else None


@dataclass(frozen=True, slots=True)
class GroupVerdicts:
    """What holds for the clients of a group; None: for a client in none."""

    group: str | None
    products: tuple[ProductVerdict, ...]


def dossier(state: State, actor: Actor, place: VendorPlace, query: Spanned) -> View:
    """Show all that is known of a vendor."""
    catalogue = state.catalogue().catalogue
    vendor = catalogue.by_id.get(place.vendor)
    if vendor is None:
        raise not_found(f"vendor {place.vendor!r}")
    about = subjects_on(vendor)
    values: dict[str, Any] = {
        "vendor": vendor, "span": query.span, "may_report": actor.may(Right.REPORT, "reports"),
        "choices": [(spanned(f"/vendors/{vendor.id}", span), words) for span, words in SPANS.items()],
        "training": None if vendor.data_use is None else TRAINING[vendor.data_use.trains_on_input],
        "hidden": [product.name for product in vendor.products if not product.separable],
        "served_by": [product.id for product in catalogue.products.values() if vendor.id in product.serves],
        "names": {key: entry.name for key, entry in catalogue.categories.items()},
        "stale": {one.name for product in vendor.products for one in product.domains if is_stale(one, _today())},
        "reached": _reached_by(vendor), "subject": f"vendor:{vendor.id}",
    }  # fmt: skip
    values |= _policy(state, actor, vendor, catalogue, about)
    if values["may_report"]:
        values |= _recorded(state, vendor, catalogue, about, query)
    return View("vendor.html", values)


def _policy(
    state: State, actor: Actor, vendor: Vendor, catalogue: Catalogue, about: frozenset[Subject]
) -> dict[str, Any]:
    """Return what policy says of a vendor, as far as the actor may see it."""
    now = datetime.now(UTC)
    found: dict[str, Any] = {"groups": (), "instead": (), "statements": None, "exceptions": None}
    if actor.may(Right.READ, "policy"):
        policy = published_policy(state)
        groups = found["groups"] = _by_group(state, policy, vendor, now)
        found["instead"] = _instead(state, policy, groups[0], catalogue, now)
        found["statements"] = [one for one in state.policy.statements() if _is_about(one.subject, vendor, about)]
    if actor.may(Right.READ, "exceptions"):
        found["exceptions"] = [one for one in state.exceptions.in_force(now) if _is_about(one.subject, vendor, about)]
    return found


def _by_group(state: State, policy: Policy, vendor: Vendor, now: datetime) -> tuple[GroupVerdicts, ...]:
    """Return what holds for a client in no group, and for those groups for which it is something else."""
    general = GroupVerdicts(None, verdicts_on(policy, vendor, policy.scope_of(""), now))
    found = [general]
    for group in state.policy.groups():
        scope = policy.scope_of_group(group.name)
        if scope is not None:
            verdicts = verdicts_on(policy, vendor, scope, now)
            if [one.action for one in verdicts] != [one.action for one in general.products]:
                found.append(GroupVerdicts(group.name, verdicts))
    return tuple(found)


def _recorded(
    state: State, vendor: Vendor, catalogue: Catalogue, about: frozenset[Subject], query: Spanned
) -> Mapping[str, Any]:
    times, moves = times_of(query.span), policy_moves(state, 0, tuple(about))
    tried = Tried(state.store, state.settings.record.attempt_window)
    clients = tried.clients_of(vendor.id, times.since, times.until, _MOST_CLIENTS + 1)
    trend = trend_of(state, times, vendor.id)
    return {
        "times": times, "drawn": draw("trend", trend, times, {vendor.id: vendor.name}, moves),
        "attempts": sum(bucket.total for bucket in trend), "clients": clients[:_MOST_CLIENTS],
        "has_more_clients": len(clients) > _MOST_CLIENTS, "seen": names_of(state, [one.key or "" for one in clients]),
        "compared": _compared(state, vendor, moves, times.until),
    }  # fmt: skip


def names_of(state: State, clients: list[str]) -> dict[str, str]:
    """Return what to call clients, as far as that was noted."""
    return client_store(state).names(clients) if clients else {}


def _compared(state: State, vendor: Vendor, moves: list[PolicyMove], until: int) -> BeforeAfter | None:
    """Compare around the last change, as far as days are recorded before it and over after it."""
    if not moves:
        return None
    move, today = moves[-1], (until - 1) // DAY
    counts = EvidenceCounts(state.store, state.settings.record.attempt_window)
    recorded, at = counts.recorded(), move.at // DAY
    oldest = [day for day in (recorded.first_day, _day(recorded.oldest_minute)) if day is not None]
    days = min(today - at - 1, at - min(oldest, default=at), _MOST_DAYS)
    if days < 1:
        return None
    found = counts.days((at - days) * DAY, (at + days + 1) * DAY, vendor.id)
    sums = [
        sum(found.get(day, {}).get(vendor.id, 0) for day in span)
        for span in (range(at - days, at), range(at + 1, at + 1 + days))
    ]
    return BeforeAfter(move, days, *sums) if any(sums) else None


def _day(minute: int | None) -> int | None:
    return None if minute is None else minute // 1440


def _is_about(subject: Subject, vendor: Vendor, about: frozenset[Subject]) -> bool:
    """Return whether a subject reaches a vendor: by what it is, or as one of its names, or one below."""
    if subject in about:
        return True
    if subject.kind is not SubjectKind.DOMAIN:
        return False
    name = subject.value.removeprefix("*.")
    hosts = [domain.name for product in vendor.products for domain in product.domains]
    return any(name == host or name.endswith("." + host) for host in hosts)


def _reached_by(vendor: Vendor) -> str:
    default = [is_default(vendor, product) for product in vendor.products]
    if all(default):
        return "ai, its vendor, product, category, jurisdiction"
    if any(default):
        return "its vendor, product, category, jurisdiction; by ai only where the product says so"
    return "its vendor, product, category or jurisdiction alone, not by ai"


def _instead(
    state: State, policy: Policy, general: GroupVerdicts, catalogue: Catalogue, now: datetime
) -> tuple[Alternative, ...]:
    """Return what may be used in place of a blocked product, by the function of the block page."""
    blocked = next((one for one in general.products if one.verdict.is_blocked), None)
    if blocked is None:
        return ()
    image = compiled_folder(state.folder).name
    facts = _FACTS.get((catalogue.fingerprint, image), lambda: facts_of(catalogue, image))
    ruling = Ruling(Kind.BLOCKED, blocked.host, blocked.verdict, 0, policy, policy.scope_of(""))
    return alternatives(ruling, state.settings.block_page.alternatives, facts, now)


def _today() -> date:
    return datetime.now(UTC).date()
