"""A route of the pages: like one of the API it says which right it takes, and gives a template and its values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sinkhole.app.rights import Right
from sinkhole.web.route import Anyone


@dataclass(frozen=True, slots=True)
class View:
    """A page: its template, and the values in it."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class PageRoute:
    """One page.

    Attributes:
        right: what it takes; no default, so none is open by being forgotten.
        work: either a plain function, run in a thread with the `state` and those of `place` (the parts of its path),
            `query`, `actor` and `context` that it names, which returns a View; or a coroutine function, run on the
            event loop with those of `request`, `actor` and `context` that it names: it returns a View or a response.
    """

    method: str
    path: str
    right: Right | Anyone
    area: str
    work: Callable[..., Any]
