"""What a change of policy does to names that are known: those of the catalogue, and those asked in the last days."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import methodcaller

from sinkhole.app.asked_impact import DAYS
from sinkhole.app.state import State
from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import FormError
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE, Scope
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType
from sinkhole.store.reports import Reports

_ASKED = 5000
"""Names that were asked lately, the most asked first, which are looked at."""
_SHOWN = 3


def impact(
    state: State,
    before: Policy,
    after: Policy,
    groups: Iterable[str],
    now: datetime,
    clients: Iterable[str] = (),
    *,
    with_recorded: bool = True,
) -> list[str]:
    """Return in sentences for how many known names the verdict changes, for all and for each group.

    Args:
        groups: names of the groups there are before or after.
        clients: addresses of clients that are told by themselves.
        with_recorded: whether names that were asked for count as known, beside those of the catalogue.
    """
    asked = _asked(state, now) if with_recorded else ()
    names = sorted({*_of_catalogue(state.catalogue().catalogue), *asked})
    return [
        f"for {who}: {_count(found)} {was} -> {becomes}, such as {', '.join(found[:_SHOWN])}"
        for who, scope_in in _askers(groups, clients)
        for (was, becomes), found in sorted(_changed(before, after, scope_in, names, now).items())
    ]


def _askers(groups: Iterable[str], clients: Iterable[str]) -> Iterator[tuple[str, Callable[[Policy], Scope]]]:
    """Yield who may ask, in words, and the scope of such a client in a policy."""
    yield "clients in no group", lambda policy: EVERYONE
    for name in sorted(set(groups)):
        yield f"group {name}", partial(_scope_of_group, name)
    for client in sorted(set(clients)):
        yield f"client {client}", methodcaller("scope_of", client)


def _scope_of_group(name: str, policy: Policy) -> Scope:
    return policy.scope_of_group(name) or EVERYONE


def _changed(
    before: Policy, after: Policy, scope_in: Callable[[Policy], Scope], names: Sequence[str], now: datetime
) -> dict[tuple[str, str], list[str]]:
    scopes = [scope_in(policy) for policy in (before, after)]
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        try:
            wire = name_from_text(name)
        except FormError:
            continue  # a recorded name with octets that no text of a name has
        was = before.decide(wire, QType.A, scopes[0], now).action
        becomes = after.decide(wire, QType.A, scopes[1], now).action
        if was is not becomes:
            found[str(was), str(becomes)].append(name)
    return found


def _of_catalogue(catalogue: Catalogue) -> Iterator[str]:
    for vendor in catalogue.vendors:
        for product in vendor.products:
            yield from (domain.name.replace("*", "x") for domain in product.domains)
    for way in catalogue.bypass:
        yield from (domain.name.replace("*", "x") for domain in way.domains)


def _asked(state: State, now: datetime) -> Iterator[str]:
    since = int((now - timedelta(days=DAYS)).timestamp())
    reports = Reports(state.store, state.settings.record.attempt_window)
    yield from (tally.key for tally in reports.count_by("name", since, limit=_ASKED) if tally.key)


def _count(found: Sequence[str]) -> str:
    return "1 known name" if len(found) == 1 else f"{len(found)} known names"
