"""Policy as it is: statements, what goes before them now, and what is expected of them."""

from datetime import UTC, datetime
from typing import Literal

from sinkhole.app.expectations import names_in_force, stored_policy_over
from sinkhole.app.state import State
from sinkhole.policy.expectation import broken_of
from sinkhole.web.api.policy import StatementShown, Verb, in_order
from sinkhole.web.model import Paged, Word, page_of
from sinkhole.web.pages.route import View

FOR_ALL = "all"
VERBS: tuple[Verb, ...] = ("block", "coach", "monitor", "allow")


class StatementsAsked(Paged):
    """Which statements; `group` is `all` for those that are for all clients."""

    group: Word | None = None
    action: Verb | None = None
    text: Word | None = None


class ExpectationsAsked(Paged):
    """Which expectations."""

    show: Literal["all", "broken"] = "all"


def statements_page(state: State, query: StatementsAsked) -> View:
    """List statements, the more specific first."""
    now = datetime.now(UTC)
    every = [StatementShown.of(one) for one in in_order(state)]
    found = [one for one in every if _is_asked(one, query)]
    over = {one.id for one in every if one.expires is not None and one.expires <= now}
    return View("policy.html", {
        "asked": query, "found": page_of(found, query, lambda one: str(one.id)), "count": len(found), "all": len(every),
        "over": over, "groups": [group.name for group in state.policy.groups()], "verbs": VERBS,
    })  # fmt: skip


def _is_asked(one: StatementShown, query: StatementsAsked) -> bool:
    if query.action is not None and one.action != query.action:
        return False
    if query.group is not None and one.group != (None if query.group == FOR_ALL else query.group):
        return False
    told = (one.subject, one.reason, one.owner, one.ticket, one.group)
    return query.text is None or any(query.text.lower() in (word or "").lower() for word in told)


def expectations_page(state: State, query: ExpectationsAsked) -> View:
    """List what policy is expected to say, and what it says instead."""
    expected, now = state.expectations.all(), datetime.now(UTC)
    policy = stored_policy_over(state, names_in_force(state)) if expected else None
    broken = {} if policy is None else {one.expectation: one.found for one in broken_of(policy, expected, now)}
    shown = [one for one in expected if query.show == "all" or one in broken]
    start = int(query.cursor) if query.cursor and query.cursor.isascii() and query.cursor.isdigit() else 0
    items = sorted(shown, key=lambda one: (one not in broken, one.question))[start : start + query.limit]
    following = start + len(items)
    return View("expectations.html", {
        "asked": query, "items": [(one, broken.get(one)) for one in items], "count": len(expected),
        "broken": len(broken), "is_first": start == 0, "next": str(following) if following < len(shown) else None,
    })  # fmt: skip
