"""A route: what it does, what it takes and gives, and the right that it takes. One table serves, checks and documents.

What a route takes and gives is read from the annotations of its function: `place`, `query` and `body` are models that
validate, and the answer is one too. So what is described is what is checked.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, get_type_hints

from pydantic import BaseModel

from sinkhole.app.rights import Right


class Anyone(Enum):
    """In place of a right: also who is not logged in may use it."""

    ANYONE = "anyone"


ANYONE: Final = Anyone.ANYONE


class Kind(Enum):
    """How a route is run."""

    READ = "read"
    """It reads: in a thread with a connection that cannot write."""
    CHANGE = "change"
    """It changes policy, feeds or groups, which is then put in force."""
    NOTE = "note"
    """It changes something that needs not be put in force."""
    PREVIEW = "preview"
    """It makes a change and takes it back."""
    LIVE = "live"
    """It goes on: server-sent events."""
    OWN = "own"
    """It is about the session itself, or the server."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the API.

    Attributes:
        path: below `/api/v1`, with `{…}` for what `place` holds.
        right: what it takes; no default, so none is open by being forgotten.
        area: the part of the API, which a scope may be narrowed to.
        work: the function, called with those of `state`, `place`, `query`, `body`, `notes`, `actor`, `context` and
            `request` that it names.
        status: of an answer that is good.
        current: with the same arguments, what there is before a change: what `If-Match` is compared with.
        then: called after a change is in force.
        refusal: status of what policy, a feed or a name refuses.
        answers: model of the answer, where the function answers by itself.
    """

    method: str
    path: str
    right: Right | Anyone
    area: str
    work: Callable[..., Any]
    kind: Kind = Kind.READ
    status: int = 200
    current: Callable[..., BaseModel | None] | None = None
    then: Callable[..., None] | None = None
    refusal: int = 422
    answers: type[BaseModel] | None = None
    answer: Any = field(init=False)
    place: type[BaseModel] | None = field(init=False)
    query: type[BaseModel] | None = field(init=False)
    body: type[BaseModel] | None = field(init=False)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.work, include_extras=True)
        for name in ("place", "query", "body"):
            object.__setattr__(self, name, hints.get(name))
        object.__setattr__(self, "answer", self.answers or hints.get("return"))

    @property
    def name(self) -> str:
        """The operation, as the description calls it."""
        return str(self.work.__name__)

    @property
    def summary(self) -> str:
        """The first line of what the function says of itself."""
        return (inspect.getdoc(self.work) or "").partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        """All that the function says of itself, without what only its callers in Python need."""
        return (inspect.getdoc(self.work) or "").partition("\n\nRaises:")[0].replace("\n", " ").replace("  ", "\n\n")


def arguments(work: Callable[..., Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return those of the known arguments that a function names."""
    wanted = inspect.signature(work).parameters
    return {name: value for name, value in known.items() if name in wanted}
