"""A route of the pages: like one of the API it says which right it takes, and gives a template and its values.

How a page is added:

1. A function in a module of `web/pages` that returns a `View`: plain, if it reads (`state`, `place`, `query`, `actor`
   and `context` come by name); annotate `place` and `query` with models of `web.model`, and they are validated: fields
   of a form that are empty count as left out, what is wrong is a page with status 400.
2. A template in `web/templates` that extends `base.html` and fills `title` and `main` from the macros in
   `templates/parts`: `page` (head, cards, empty states, notices), `table` (tables, pager), `form` (filters, changes),
   `words` (actions, times, numbers). `here(cursor=…)` is the address of this page with that parameter changed.
3. A line in `pages/table.py`, with the right it takes; `menu` puts it into the navigation, in the order of the table,
   for whoever has that right.
4. A page that changes something has a second line, `POST`, with a coroutine function that calls
   `web.pages.change.change`: see there.
"""

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
            event loop with those of `request`, `place`, `query`, `actor` and `context` that it names: it returns a
            View or a response.
        menu: what the navigation calls it; None: it is not there.
        keeps_span: the navigation brings the span of time along that is chosen.
    """

    method: str
    path: str
    right: Right | Anyone
    area: str
    work: Callable[..., Any]
    menu: str | None = None
    keeps_span: bool = False
