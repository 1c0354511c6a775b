"""Vendors: the list of all that are known, with what was recorded of them and what policy says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from sinkhole.app.hit_reports import count_hits
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.app.vendor_verdicts import NOTHING, actions_on
from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.vendor import Vendor
from sinkhole.store.reports import Reports, Tally
from sinkhole.web.actor import Actor
from sinkhole.web.model import Line, Word
from sinkhole.web.pages.published import published_policy
from sinkhole.web.pages.route import View
from sinkhole.web.pages.span import SPANS, SpannedPage, times_of

ACTIONS = ("block", "coach", "monitor", "allow", NOTHING)
_PER_PAGE = 50


class VendorsAsked(SpannedPage):
    """Which vendors."""

    limit: Annotated[int, Field(ge=1, le=200)] = _PER_PAGE
    text: Line = ""
    category: Word | None = None
    jurisdiction: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    verdict: Literal["block", "coach", "monitor", "allow", "none"] | None = None
    seen: Literal["yes", "no"] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A vendor in the list; `tally` is None where nothing was recorded, or the actor may not know."""

    vendor: Vendor
    categories: tuple[str, ...]
    tally: Tally | None
    actions: tuple[str, ...]

    @property
    def id(self) -> str:
        """That of the vendor."""
        return self.vendor.id


def vendors(state: State, actor: Actor, query: VendorsAsked) -> View:
    """List vendors: those that were tried first, the most attempts before the others."""
    catalogue, times = state.catalogue().catalogue, times_of(query.span)
    may_report = actor.may(Right.REPORT, "reports")
    tallies: dict[str, Tally] = {}
    if may_report:
        reports = Reports(state.store, state.settings.record.attempt_window)
        tallies = {one.key or "": one for one in count_hits(reports, catalogue, "vendor", times.since, times.until)}
    actions = _judge(state) if actor.may(Right.READ, "policy") else None
    found = [one for one in catalogue.vendors if _fits(one, query, tallies)]
    if query.verdict is not None and actions is not None:
        found = [one for one in found if query.verdict in actions(one)]
    found.sort(key=lambda one: (-tallies[one.id].attempts if one.id in tallies else 0, one.name.casefold(), one.id))
    rows, follows = _page(found, query, tallies, actions)
    return View(
        "vendors.html",
        {"rows": rows, "next": follows, "asked": query, "total": len(found), "known": len(catalogue.vendors),
         "may_report": may_report, "has_verdicts": actions is not None, "times": times, "spans": list(SPANS.items()),
         "categories": sorted((key, entry.name) for key, entry in catalogue.categories.items()),
         "jurisdictions": _jurisdictions(catalogue), "actions": [(word, word) for word in ACTIONS]},
    )  # fmt: skip


def _judge(state: State) -> Callable[[Vendor], tuple[str, ...]]:
    """Return what tells the actions on a vendor for a client in no group, at this moment."""
    policy, now = published_policy(state), datetime.now(UTC)
    scope = policy.scope_of("")
    return lambda vendor: actions_on(policy, vendor, scope, now)


def _page(
    found: list[Vendor], query: VendorsAsked, tallies: dict[str, Tally],
    actions: Callable[[Vendor], tuple[str, ...]] | None,
) -> tuple[list[Row], str | None]:  # fmt: skip
    """Return the rows of the page that is asked for, and where the next begins; only these are judged."""
    start = 0
    if query.cursor is not None:
        start = next((at + 1 for at, one in enumerate(found) if one.id == query.cursor), len(found))
    rows = [
        Row(one, categories_of(one), tallies.get(one.id), () if actions is None else actions(one))
        for one in found[start : start + query.limit]
    ]
    return rows, rows[-1].id if rows and start + len(rows) < len(found) else None


def categories_of(vendor: Vendor) -> tuple[str, ...]:
    """Return the categories of a vendor's products."""
    return tuple(sorted({category for product in vendor.products for category in product.categories}))


def _fits(vendor: Vendor, query: VendorsAsked, tallies: dict[str, Tally]) -> bool:
    if query.jurisdiction is not None and vendor.jurisdiction.value != query.jurisdiction:
        return False
    if query.category is not None and query.category not in categories_of(vendor):
        return False
    if query.seen is not None and (query.seen == "yes") is not (vendor.id in tallies):
        return False
    return not query.text or _has(vendor, query.text.strip().casefold().rstrip("."))


def _has(vendor: Vendor, text: str) -> bool:
    """Return whether a text is in the vendor's names, or is a host of it, or below one."""
    words = (vendor.id, vendor.name, vendor.owner.value, *(one.name for one in vendor.products))
    if any(text in word.casefold() for word in words):
        return True
    return any(
        text in domain.name or text.endswith("." + domain.name)
        for product in vendor.products
        for domain in product.domains
    )


def _jurisdictions(catalogue: Catalogue) -> list[tuple[str, str]]:
    found = sorted({vendor.jurisdiction.value for vendor in catalogue.vendors})
    return [(one, "not known" if one == "ZZ" else one) for one in found]
