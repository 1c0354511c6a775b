"""What somebody may do on the admin side: three rights, each with those before it, and scopes that narrow them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from sinkhole.app.subjects import nearest
from sinkhole.errors import AccessError


class Right(IntEnum):
    """The rights, each with those before it.

    READ: see policy, the catalogue, feeds and settings. REPORT: also what was recorded of clients, and the audit log.
    MANAGE: also change all of it.
    """

    READ = 1
    REPORT = 2
    MANAGE = 3

    def __str__(self) -> str:
        return self.name.lower()


ROLES = tuple(str(right) for right in Right)
AREAS = (
    "status", "catalogue", "policy", "groups", "exceptions", "overrides", "feeds", "hits", "reports", "explain",
    "discover", "clients", "audit", "settings", "access",
)  # fmt: skip
"""The parts of the API that a scope may be narrowed to."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A right, everywhere or in one area alone: `read`, `manage:policy`."""

    right: Right
    area: str | None = None

    @classmethod
    def from_text(cls, text: str) -> "Scope":
        """Read one.

        Raises:
            AccessError: it is none; the nearest is told.
        """
        word, colon, area = text.strip().partition(":")
        if word not in ROLES:
            raise AccessError(f"{text!r}: a scope begins with {', '.join(ROLES)}{nearest(word, ROLES)}")
        if colon and area not in AREAS:
            raise AccessError(f"{text!r}: there is no area {area!r}; there are {', '.join(AREAS)}")
        return cls(Right[word.upper()], area if colon else None)

    def __str__(self) -> str:
        return str(self.right) if self.area is None else f"{self.right}:{self.area}"

    def permits(self, right: Right, area: str) -> bool:
        """Return whether it is enough for something that takes `right` in `area`."""
        return self.right >= right and self.area in (None, area)


def is_permitted(scopes: Iterable[Scope], right: Right, area: str) -> bool:
    """Return whether one of the scopes is enough."""
    return any(scope.permits(right, area) for scope in scopes)


def role_from_text(text: str) -> Right:
    """Read a role: the right that an account has everywhere.

    Raises:
        AccessError: it is none; the nearest is told.
    """
    if text not in ROLES:
        raise AccessError(f"wanted a role, {', '.join(ROLES)}; found {text!r}{nearest(text, ROLES)}")
    return Right[text.upper()]
